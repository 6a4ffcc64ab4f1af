{{- define "type" -}}
{{- $type := . -}}
{{- if markdownShouldRenderType $type }}
### {{ $type.Name }}

{{ $type.Doc | replace "\n" " " | trim }}
{{- if $type.IsAlias }} A {{ markdownRenderTypeLink $type.UnderlyingType }}.{{ end }}
{{ if $type.References }}
Appears in:
{{- range $i, $ref := $type.SortedReferences }}{{ if $i }},{{ end }} {{ markdownRenderTypeLink $ref }}{{ end }}
{{ end -}}
{{- if $type.Members }}
| Field | Meaning | Default | Bounds |
|---|---|---|---|
{{ range $type.Members -}}
| `{{ .Name }}` {{ markdownRenderType .Type }} | {{ template "type_members" . }} | {{ template "number" .Default }} | {{ template "bounds" .Validation }} |
{{ end -}}
{{- end -}}
{{- if $type.EnumValues }}
| Value | Meaning |
|---|---|
{{ range $type.EnumValues -}}
| `{{ .Name }}` | {{ markdownRenderFieldDoc (regexReplaceAll "^[A-Za-z]+: " (.Doc | replace "\n" " " | trim) "") }} |
{{ end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* The generator reads numbers as floating point and would print 2.592e+06; an empty object says nothing. */ -}}
{{- define "number" -}}
{{- if regexMatch "^[0-9.]+e\\+[0-9]+$" . }}{{ printf "%.0f" (float64 .) }}
{{- else if ne (nospace .) "{}" }}{{ . }}{{ end -}}
{{- end -}}

{{- define "bounds" -}}
{{- $seen := false -}}
{{- range . -}}
{{- $name := regexFind "^[A-Za-z:]+" . | trimSuffix ":" -}}
{{- $value := regexReplaceAll "^[A-Za-z:]+ *" . "" | trim -}}
{{- if ne $name "Optional" -}}
{{- if $seen }}, {{ end -}}
{{- $seen = true -}}
{{ $name }}{{ if and $value (ne $name "Required") }} {{ template "number" $value }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end -}}
