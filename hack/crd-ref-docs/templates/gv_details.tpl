{{- define "gvDetails" -}}
## {{ .GroupVersionString }}

{{ .Doc | replace "\n" " " | trim }}

Kinds:
{{- range .SortedKinds }} {{ $.TypeForKind . | markdownRenderTypeLink }}{{ end }}
{{ range .SortedTypes }}
{{- template "type" . }}
{{- end }}
{{- end -}}
