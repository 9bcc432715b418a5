case $place in
inline) aws iam "put-$KIND-policy" "--$KIND-name" "$NAME" --policy-name "$policy" --policy-document "file://$work/after.json" ;;
managed) aws iam create-policy-version --policy-arn "$policy" --policy-document "file://$work/after.json" --set-as-default --query PolicyVersion.VersionId --output text ;;
esac
