id=$(sed -n '$p' "$KEY_FILE" | tr -d '\r' | cut -d, -f1)
owner=$(aws iam get-access-key-last-used --access-key-id "$id" --query UserName --output text)
aws iam delete-access-key --user-name "$owner" --access-key-id "$id"
if [ -e "$KEY_FILE.before" ]; then mv "$KEY_FILE.before" "$KEY_FILE"; else rm "$KEY_FILE"; fi
if [ "$(cat "$KEY_FILE.user" 2>/dev/null)" = "$owner" ]; then
  aws iam delete-user-policy --user-name "$owner" --policy-name SecretsManagerRead
  aws iam delete-user --user-name "$owner"
  rm "$KEY_FILE.user"
fi
