list_policies() {
  aws iam list-role-policies --role-name "$NAME" --query PolicyNames --output json | jq -r '.[]' >"$work/names"
  while IFS= read -r policy; do
    aws iam get-role-policy --role-name "$NAME" --policy-name "$policy" --query PolicyDocument --output json
  done <"$work/names"
  aws iam list-attached-role-policies --role-name "$NAME" --query 'AttachedPolicies[].PolicyArn' --output json | jq -r '.[]' >"$work/arns"
  while IFS= read -r policy; do
    version=$(aws iam get-policy --policy-arn "$policy" --query Policy.DefaultVersionId --output text)
    aws iam get-policy-version --policy-arn "$policy" --version-id "$version" --query PolicyVersion.Document --output json
  done <"$work/arns"
}
# Either side may be the one that refuses: what the first role may do, and whom the second one trusts.
list_policies >"$work/policies.json"
allowed=$(jq -s -r --arg target "$TARGET_ARN" '
  def list: if type == "array" then . else [.] end;
  def like($text): (gsub("(?<c>[.+^$(){}|\\[\\]\\\\])"; "\\\(.c)") | gsub("\\*"; ".*") | gsub("\\?"; ".")) as $regex
    | $text | test("^" + $regex + "$");
  any(.[].Statement | list | .[]; .Effect == "Allow" and (has("Condition") | not)
    and any(.Action // [] | list | .[]; ascii_downcase | like("sts:assumerole")) and any(.Resource // [] | list | .[]; like($target)))' "$work/policies.json")
as_target() { "$@"; }
if [ "$TARGET_ACCOUNT" != "$ACCOUNT" ]; then
  if aws sts assume-role --role-arn "$ADMIN_ROLE" --role-session-name trustline-fix --output json >"$work/session.json" 2>/dev/null; then
    as_target() {
      AWS_ACCESS_KEY_ID=$(jq -r .Credentials.AccessKeyId "$work/session.json") \
        AWS_SECRET_ACCESS_KEY=$(jq -r .Credentials.SecretAccessKey "$work/session.json") \
        AWS_SESSION_TOKEN=$(jq -r .Credentials.SessionToken "$work/session.json") "$@"
    }
  elif [ "$allowed" = true ]; then
    stop "$NAME may assume $TARGET_ARN by its own policies, so the trust policy of that role refuses it. Set ADMIN_ROLE to a role that administers account $TARGET_ACCOUNT. Nothing was changed."
  else
    as_target() { return 0; }
  fi
fi
