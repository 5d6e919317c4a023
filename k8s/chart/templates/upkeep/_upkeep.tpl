{{/* What jobs of upkeep have in common: who they are, how they reach PostgreSQL and the bucket. */}}

{{- define "thumbs.upkeepPod" -}}
{{- $label := dict "root" .root "component" .component -}}
metadata:
  labels: {{ include "thumbs.labels" $label | nindent 4 }}
spec:
  serviceAccountName: {{ include "thumbs.fullname" .root }}
  {{- include "thumbs.podSecurity" (dict "root" .root "user" 70) | nindent 2 }}
  restartPolicy: Never
  volumes:
    - name: tmp
      emptyDir: {sizeLimit: 64Mi}
    {{- if .volume }}
    - name: backup
      persistentVolumeClaim:
        claimName: {{ default (printf "%s-backup" (include "thumbs.fullname" .root)) .root.Values.backup.storage.existingClaim }}
    {{- end }}
{{- end -}}

{{- define "thumbs.upkeepContainer" -}}
{{ include "thumbs.containerSecurity" . }}
command: [/bin/sh, -ec]
resources:
  requests: {cpu: 50m, memory: 64Mi}
  limits: {cpu: "1", memory: 512Mi}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
  {{- if .volume }}
  - {name: backup, mountPath: /backup}
  {{- end }}
{{- end -}}

{{- define "thumbs.rowsEnv" -}}
- {name: HOME, value: /tmp}
- {{ include "thumbs.fromSecret" (dict "root" .root "name" "DATABASE_URL" "key" "database_url") }}
{{- end -}}

{{/* A remote `s3:` of rclone, and where the application's objects lie in it. */}}
{{- define "thumbs.imagesEnv" -}}
{{- $values := .root.Values -}}
- {name: HOME, value: /tmp}
- {name: OBJECTS, value: {{ printf "s3:%s/%s" $values.s3.bucket $values.s3.prefix | trimSuffix "/" | quote }}}
- {name: RCLONE_CONFIG, value: /tmp/rclone.conf}
- {name: RCLONE_CONFIG_S3_TYPE, value: s3}
- {name: RCLONE_CONFIG_S3_PROVIDER, value: {{ ternary "Other" "AWS" (ne (include "thumbs.s3Endpoint" .root) "") }}}
- {name: RCLONE_CONFIG_S3_ENDPOINT, value: {{ include "thumbs.s3Endpoint" .root | quote }}}
- {name: RCLONE_CONFIG_S3_REGION, value: {{ $values.s3.region | quote }}}
- {name: RCLONE_CONFIG_S3_FORCE_PATH_STYLE, value: {{ $values.s3.pathStyle | quote }}}
{{- if include "thumbs.s3Role" .root }}
- {name: RCLONE_CONFIG_S3_ENV_AUTH, value: "true"}
{{- else }}
{{- range $name := list "access_key_id" "secret_access_key" "session_token" }}
- {{ include "thumbs.fromSecret" (dict "root" $.root "name" (printf "RCLONE_CONFIG_S3_%s" (upper $name)) "key" (printf "s3_%s" $name) "optional" (eq $name "session_token")) }}
{{- end }}
{{- end }}
{{- end -}}
