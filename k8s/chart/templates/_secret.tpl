{{/*
What the chart's own Secret holds. Passwords are drawn at the first install and read back afterwards, so an upgrade changes none. Within one
rendering they are drawn once and kept among the values: the Secret and the pods' checksums have to agree.
*/}}
{{- define "thumbs.secretData" -}}
{{- if not (hasKey .Values "secretData") -}}
{{- $_ := set .Values "secretData" (include "thumbs.secretDataDrawn" .) -}}
{{- end -}}
{{- .Values.secretData -}}
{{- end -}}

{{- define "thumbs.secretDataDrawn" -}}
{{- $given := .Values.secrets.values -}}
{{- $kept := dict -}}
{{- range $key, $value := (lookup "v1" "Secret" .Release.Namespace (include "thumbs.fullname" .)).data -}}
{{- $_ := set $kept $key (b64dec $value) -}}
{{- end -}}
{{- $made := dict -}}
{{- if .Values.postgresql.enabled -}}
{{- $password := coalesce (get $given "postgres_password") (get $kept "postgres_password") (randAlphaNum 32) -}}
{{- $_ := set $made "postgres_password" $password -}}
{{- $url := printf "postgres://thumbs:%s@%s:5432/thumbs?sslmode=disable" (urlquery $password) (include "thumbs.postgresqlHost" .) -}}
{{- $_ := set $made "database_url" $url -}}
{{- end -}}
{{- if .Values.redis.enabled -}}
{{- $password := coalesce (get $given "redis_password") (get $kept "redis_password") (randAlphaNum 32) -}}
{{- $_ := set $made "redis_password" $password -}}
{{- $_ := set $made "redis_url" (printf "redis://:%s@%s:6379" (urlquery $password) (include "thumbs.redisHost" .)) -}}
{{- end -}}
{{- if .Values.s3.enabled -}}
{{- $_ := set $made "s3_access_key_id" (coalesce (get $given "s3_access_key_id") (get $kept "s3_access_key_id") "thumbs") -}}
{{- $secret := coalesce (get $given "s3_secret_access_key") (get $kept "s3_secret_access_key") (randAlphaNum 40) -}}
{{- $_ := set $made "s3_secret_access_key" $secret -}}
{{- end -}}
{{- range $key, $optional := (include "thumbs.secretVariables" . | fromYaml) -}}
{{- if not (or $optional (hasKey $given $key) (hasKey $made $key)) -}}
{{- fail (printf "nobody says what %s is: name a Secret that holds it (secrets.existing), or set secrets.values.%s" $key $key) -}}
{{- end -}}
{{- end -}}
{{- merge (deepCopy $given) $made | toYaml -}}
{{- end -}}
