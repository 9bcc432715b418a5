policy=$(aws iam get-role --role-name "$NAME" --query Role.PermissionsBoundary.PermissionsBoundaryArn --output text)
case $policy in
*:iam::aws:*) stop "The boundary $policy is AWS's own and cannot be changed; give $NAME another one. Nothing was changed." ;;
arn:*) ;;
*) stop "$NAME has no permissions boundary. Nothing was changed; check again." ;;
esac
former=$(aws iam get-policy --policy-arn "$policy" --query Policy.DefaultVersionId --output text)
aws iam get-policy-version --policy-arn "$policy" --version-id "$former" --query PolicyVersion.Document --output json >"$work/before.json"
