{{/* Names, labels, and where the servers are. */}}

{{- define "thumbs.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := .Values.fullnameOverride -}}
{{- if not $full -}}
{{- $full = ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- end -}}
{{- $full | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "thumbs.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "thumbs.labels" -}}
{{ include "thumbs.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- define "thumbs.secret" -}}
{{- default (include "thumbs.fullname" .) .Values.secrets.existing -}}
{{- end -}}

{{/* The port that the API's pods listen on: the operator knows no other than 80, and without root nobody may have that. */}}
{{- define "thumbs.apiPort" -}}
{{- ternary "80" "3000" (eq .Values.host "spinkube") -}}
{{- end -}}

{{/* The port at which a process of the runtime tells its own numbers. */}}
{{- define "thumbs.adminPort" -}}
9464
{{- end -}}

{{/* A server of this chart, by its whole name: KEDA and others ask from another namespace. */}}
{{- define "thumbs.server" -}}
{{ include "thumbs.fullname" .root }}-{{ .server }}.{{ .root.Release.Namespace }}.svc
{{- end -}}

{{- define "thumbs.postgresqlHost" -}}
{{- if .Values.postgresql.enabled -}}{{ include "thumbs.server" (dict "root" . "server" "postgresql") }}
{{- else -}}{{ required "postgresql.external.host is needed where postgresql.enabled is false" .Values.postgresql.external.host }}
{{- end -}}
{{- end -}}

{{- define "thumbs.postgresqlPort" -}}
{{- if .Values.postgresql.enabled -}}5432{{- else -}}{{ .Values.postgresql.external.port }}{{- end -}}
{{- end -}}

{{- define "thumbs.redisHost" -}}
{{- if .Values.redis.enabled -}}{{ include "thumbs.server" (dict "root" . "server" "redis") }}
{{- else -}}{{ required "redis.external.host is needed where redis.enabled is false" .Values.redis.external.host }}
{{- end -}}
{{- end -}}

{{- define "thumbs.redisPort" -}}
{{- if .Values.redis.enabled -}}6379{{- else -}}{{ .Values.redis.external.port }}{{- end -}}
{{- end -}}

{{/* The address of S3 as the variable s3_endpoint_url has it; empty is AWS. */}}
{{- define "thumbs.s3Endpoint" -}}
{{- if .Values.s3.enabled -}}http://{{ include "thumbs.server" (dict "root" . "server" "s3") }}:8333
{{- else -}}{{ .Values.s3.endpointUrl | trimSuffix "/" }}
{{- end -}}
{{- end -}}

{{/* What is really asked for objects: <scheme>://<host>:<port>, with the bucket in the host where it does not stand in the path. */}}
{{- define "thumbs.s3Outbound" -}}
{{- $endpoint := include "thumbs.s3Endpoint" . | default (printf "https://s3.%s.amazonaws.com" .Values.s3.region) -}}
{{- $url := urlParse $endpoint -}}
{{- $port := ternary "443" "80" (eq $url.scheme "https") -}}
{{- $host := $url.host -}}
{{- if not (regexMatch ":[0-9]+$" $host) -}}{{- $host = printf "%s:%s" $host $port -}}{{- end -}}
{{- $bucket := ternary "" (printf "%s." .Values.s3.bucket) .Values.s3.pathStyle -}}
{{ $url.scheme }}://{{ $bucket }}{{ $host }}
{{- end -}}

{{- define "thumbs.s3Port" -}}
{{- include "thumbs.s3Outbound" . | splitList ":" | last -}}
{{- end -}}

{{/* Who lends the credentials for the bucket; empty is nobody: keys of the Secret. */}}
{{- define "thumbs.s3Role" -}}
{{- with .Values.s3.role -}}
{{- if eq $.Values.host "spinkube" -}}{{- fail "s3.role is for host: runtime: on Spin nobody renews credentials that are lent" -}}{{- end -}}
{{- if $.Values.s3.enabled -}}{{- fail "s3.role is for a bucket of your own (s3.enabled: false): the server of the chart knows keys alone" -}}{{- end -}}
{{ . }}
{{- end -}}
{{- end -}}

{{/* Variables of the application without secrets, as YAML: what follows from the values, then what the operator sets. */}}
{{- define "thumbs.variables" -}}
{{- $redisScheme := ternary "redis" .Values.redis.external.scheme .Values.redis.enabled -}}
redis_outbound: {{ printf "%s://%s:%s" $redisScheme (include "thumbs.redisHost" .) (include "thumbs.redisPort" .) | quote }}
database_outbound: {{ printf "postgres://%s:%s" (include "thumbs.postgresqlHost" .) (include "thumbs.postgresqlPort" .) | quote }}
blob_outbound: {{ include "thumbs.s3Outbound" . | quote }}
blob_url: {{ printf "s3://%s/%s" .Values.s3.bucket .Values.s3.prefix | trimSuffix "/" | quote }}
s3_endpoint_url: {{ include "thumbs.s3Endpoint" . | quote }}
s3_region: {{ .Values.s3.region | quote }}
s3_path_style: {{ .Values.s3.pathStyle | quote }}
{{- if .Values.retention.enabled }}
{{- if hasKey .Values.variables "keep_jobs_days" }}
{{- fail "set retention.days or variables.keep_jobs_days, not both" }}
{{- end }}
keep_jobs_days: {{ .Values.retention.days | quote }}
{{- end }}
{{- range $name, $value := .Values.variables }}
{{ $name }}: {{ $value | quote }}
{{- end }}
{{- end -}}

{{/* Variables of the application that stand in the Secret, and whether it may lack them. */}}
{{- define "thumbs.secretVariables" -}}
database_url: false
redis_url: false
{{- if not (include "thumbs.s3Role" .) }}
s3_access_key_id: false
s3_secret_access_key: false
s3_session_token: true
{{- end }}
api_keys: true
link_secret: true
callback_secret: true
{{- end -}}

{{/* Pods have to start anew when what they were given changes. Of a Secret that the chart does not make, what it holds at the install. */}}
{{- define "thumbs.checksum" -}}
{{- $secret := "" -}}
{{- if .Values.secrets.existing -}}
{{- $secret = (lookup "v1" "Secret" .Release.Namespace .Values.secrets.existing).data | toJson -}}
{{- else -}}
{{- $secret = include "thumbs.secretData" . -}}
{{- end -}}
{{- list (include "thumbs.variables" .) $secret .Values.spinkube.runtimeConfig (.Values.runtime.limits | toJson) | join "\n" | sha256sum -}}
{{- end -}}

{{/* What every pod but those of SpinApps has: no rights, no token, no root. */}}
{{- define "thumbs.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .user }}
  runAsGroup: {{ .user }}
  fsGroup: {{ .user }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "thumbs.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end -}}

{{/* A value of the Secret in a container's environment. */}}
{{- define "thumbs.fromSecret" -}}
{name: {{ .name }}, valueFrom: {secretKeyRef: {name: {{ include "thumbs.secret" .root }}, key: {{ .key }}{{ if .optional }}, optional: true{{ end }}}}}
{{- end -}}
