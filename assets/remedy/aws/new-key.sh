[ ! -e "$KEY_FILE" ] || [ ! -e "$KEY_FILE.before" ] || stop "$KEY_FILE.before holds an older key: move it away first; nothing was made"
# The user is the one whose key is in the file; else the one that USER_NAME says, which is made where there is none.
id=$(sed -n '$p' "$KEY_FILE" 2>/dev/null | tr -d '\r' | cut -d, -f1) || id=
if [ -n "$id" ] && owner=$(aws iam get-access-key-last-used --access-key-id "$id" --query UserName --output text 2>/dev/null) && [ "$owner" != None ]; then
  USER_NAME=$owner
elif ! aws iam get-user --user-name "$USER_NAME" --query User.Arn --output text >/dev/null 2>&1; then
  aws iam create-user --user-name "$USER_NAME" --query User.Arn --output text
  printf '%s\n' "$USER_NAME" >"$KEY_FILE.user"
  aws iam put-user-policy --user-name "$USER_NAME" --policy-name SecretsManagerRead --policy-document "file://$work/permissions.json"
fi
umask 077
aws iam create-access-key --user-name "$USER_NAME" --query AccessKey --output json >"$work/key.json"
printf 'Access key ID,Secret access key\r\n' >"$work/key.csv"
jq -r '.AccessKeyId + "," + .SecretAccessKey + "\r"' "$work/key.json" >>"$work/key.csv"
[ ! -e "$KEY_FILE" ] || cp -p "$KEY_FILE" "$KEY_FILE.before"
cat "$work/key.csv" >"$KEY_FILE"
chmod 600 "$KEY_FILE"
printf 'The key of the user %s is in %s.\n' "$USER_NAME" "$KEY_FILE"
