{{- define "type_members" -}}
{{- if eq .Name "metadata" -}}
The standard metadata of a Kubernetes object.
{{- else -}}
{{ markdownRenderFieldDoc (.Doc | replace "\n" " " | trim) | replace "<" "&lt;" }}
{{- end -}}
{{- end -}}
