// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// source is the file that documents every condition type and reason.
const source = "conditions.go"

// group is one const declaration.
type group struct {
	title  string
	values []value
}

// value is one constant: its string and its comment.
type value struct{ name, meaning string }

// parse reads the const declarations of conditions.go, with the constants that their comments name replaced by their
// values.
func parse(dir string) ([]group, error) {
	files, err := parseDir(dir)
	if err != nil {
		return nil, err
	}
	file, found := files[source]
	if !found {
		return nil, fmt.Errorf("%s has no %s", dir, source)
	}
	words := spoken(files)
	var groups []group
	for _, decl := range file.Decls {
		gen, isGen := decl.(*ast.GenDecl)
		if !isGen || gen.Tok != token.CONST {
			continue
		}
		g, err := parseGroup(gen, words)
		if err != nil {
			return nil, err
		}
		groups = append(groups, g)
	}
	if len(groups) == 0 {
		return nil, fmt.Errorf("%s declares no constants", source)
	}
	return groups, nil
}

func parseDir(dir string) (map[string]*ast.File, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	files := map[string]*ast.File{}
	for _, e := range entries {
		if filepath.Ext(e.Name()) != ".go" || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, e.Name()), nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		files[e.Name()] = file
	}
	return files, nil
}

func parseGroup(gen *ast.GenDecl, words map[string]string) (group, error) {
	title := plain(gen.Doc.Text(), words)
	if title == "" {
		return group{}, fmt.Errorf("a const declaration in %s has no comment that says what its constants are", source)
	}
	g := group{title: title}
	comment := ""
	for _, spec := range gen.Specs {
		v := spec.(*ast.ValueSpec) // A const declaration has no other specs.
		if text := v.Doc.Text(); text != "" {
			comment = text // Constants that follow without a comment share this one.
		}
		name := v.Names[0].Name
		if !strings.Contains(comment, name) {
			return group{}, fmt.Errorf("%s has no comment that names it", name)
		}
		g.values = append(g.values, value{name: literal(v), meaning: plain(withoutName(comment), words)})
	}
	return g, nil
}

// spoken maps the name of each constant of the package to how the documentation writes it.
func spoken(files map[string]*ast.File) map[string]string {
	words := map[string]string{}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			v, isValue := n.(*ast.ValueSpec)
			if !isValue || len(v.Values) != 1 {
				return true
			}
			text := literal(v)
			if text == "" {
				return true
			}
			if v.Values[0].(*ast.BasicLit).Kind == token.STRING {
				text = "`" + text + "`"
			}
			words[v.Names[0].Name] = text
			return true
		})
	}
	return words
}

// literal is the value of a constant that is written as a literal, and "" for any other.
func literal(v *ast.ValueSpec) string {
	lit, isLit := v.Values[0].(*ast.BasicLit)
	if !isLit {
		return ""
	}
	if text, err := strconv.Unquote(lit.Value); err == nil {
		return text
	}
	return lit.Value
}

// leadingNames matches the names that a comment begins with: "ReasonX: ", "ReasonX and ReasonY: " and "ConditionX is ".
var leadingNames = regexp.MustCompile(`^\w+(?:(?:,| and) \w+)*(?:: | is )`)

// withoutName drops the names from the front of a comment: the table has them in a column of their own.
func withoutName(comment string) string {
	return leadingNames.ReplaceAllString(comment, "")
}

var identifier = regexp.MustCompile(`\b[A-Z]\w+\b`)

// plain makes a comment one line in which constants are written as their values, and which begins in upper case unless
// with the path of a field.
func plain(comment string, words map[string]string) string {
	line := strings.Join(strings.Fields(comment), " ")
	line = identifier.ReplaceAllStringFunc(line, func(word string) string {
		if text, known := words[word]; known {
			return text
		}
		return word
	})
	first, _, _ := strings.Cut(line, " ")
	if line == "" || strings.Contains(strings.Trim(first, "."), ".") {
		return line
	}
	return strings.ToUpper(line[:1]) + line[1:]
}
