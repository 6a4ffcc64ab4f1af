// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package toolset

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/backstay-dr/backstay/test/cluster/internal/supervise"
)

// errorLines is how much of a failed go command's output is shown.
const errorLines = 20

// goCommand prepares a go command in the module's folder.
func (m module) goCommand(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = m.dir
	// The caller's flags and workspace must not decide what is built.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=readonly", "GOWORK=off")
	// The compilers are the go command's children: an interrupted build must not leave them behind.
	cmd.SysProcAttr = supervise.ChildAttributes()
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// goEnv returns what of the toolchain decides the result of a build.
func (m module) goEnv(ctx context.Context) ([]string, error) {
	cmd := m.goCommand(ctx, "env", "GOVERSION", "GOOS", "GOARCH")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("go is not in the PATH: install Go, see https://go.dev/dl")
	case err != nil:
		return nil, fmt.Errorf("go cannot use %s: %s", filepath.Join(m.dir, "go.mod"), firstLine(stderr.Bytes(), err))
	}
	return strings.Fields(string(out)), nil
}

func firstLine(text []byte, err error) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	if line == "" {
		return err.Error()
	}
	return line
}

// provide makes the tools of a batch and moves them to their places.
func (m module) provide(ctx context.Context, cache string, batch []tool, paths map[string]string, job *job) error {
	if err := os.MkdirAll(filepath.Join(cache, "tools"), 0o755); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp(filepath.Join(cache, "tools"), ".new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	if batch[0].pkg == "" {
		err = m.copyFiles(ctx, batch, scratch)
	} else {
		err = m.compile(ctx, batch, scratch, job)
	}
	if err != nil {
		return err
	}
	for _, t := range batch {
		if err := publish(filepath.Join(scratch, t.name), paths[t.name]); err != nil {
			return fmt.Errorf("keeping %s: %w", t.name, err)
		}
	}
	return nil
}

// compile builds the batch into a folder, each program under its tool's name.
func (m module) compile(ctx context.Context, batch []tool, folder string, job *job) error {
	args := append([]string{"build", "-v"}, batch[0].buildFlags(m)...)
	if len(batch) == 1 {
		// The package of etcd has another name than its program.
		args = append(args, "-o", filepath.Join(folder, batch[0].name))
	} else {
		args = append(args, "-o", folder+string(filepath.Separator))
	}
	for _, t := range batch {
		args = append(args, t.pkg)
	}
	cmd := m.goCommand(ctx, args...)
	output, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	// The thread that starts the build must live as long as it: see supervise.ChildAttributes.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return err
	}
	messages := job.follow(output)
	if err := cmd.Wait(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return buildError(batch, err, messages)
	}
	return nil
}

// buildError says why a build failed. A single message (go is too old, a module cannot be had) says it all.
func buildError(batch []tool, err error, messages []string) error {
	if len(messages) == 1 {
		return fmt.Errorf("building %s: %s", namesOf(batch), strings.TrimPrefix(messages[0], "go: "))
	}
	return fmt.Errorf("building %s: %w\n%s", namesOf(batch), err, strings.Join(messages, "\n"))
}

// readMessages reads the go command's output to its end. With -v every compiled package is a line by
// itself, which compiled counts; the last other lines are returned.
func readMessages(output io.Reader, compiled func()) []string {
	var messages []string
	lines := bufio.NewScanner(output)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "go: downloading "):
		case !strings.ContainsAny(line, " \t"):
			compiled()
		default:
			messages = append(messages, line)
			messages = messages[max(0, len(messages)-errorLines):]
		}
	}
	return messages
}

// copyFiles copies the files of each tool out of the module that ships them.
func (m module) copyFiles(ctx context.Context, batch []tool, folder string) error {
	for _, t := range batch {
		source, err := m.sourceDir(ctx, t.source)
		if err != nil {
			return err
		}
		target := filepath.Join(folder, t.name)
		if err := os.Mkdir(target, 0o755); err != nil {
			return err
		}
		for _, pattern := range t.files {
			if err := copyMatches(filepath.Join(source, pattern), target); err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
		}
	}
	return nil
}

// sourceDir returns the folder of a module's source, downloading it if a cleaned cache lacks it.
func (m module) sourceDir(ctx context.Context, path string) (string, error) {
	out, err := m.goCommand(ctx, "mod", "download", "-json", path).Output()
	var answer struct{ Dir, Error string }
	if jsonErr := json.Unmarshal(out, &answer); jsonErr == nil && answer.Error != "" {
		return "", fmt.Errorf("module %s: %s", path, answer.Error)
	}
	if err != nil {
		return "", fmt.Errorf("module %s: %w", path, err)
	}
	return answer.Dir, nil
}

func copyMatches(pattern, folder string) error {
	files, err := filepath.Glob(pattern)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("no file matches %s", pattern)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, filepath.Base(file)), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
