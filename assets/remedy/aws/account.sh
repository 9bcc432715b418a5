account=$(aws sts get-caller-identity --query Account --output text)
[ "$account" = "$ACCOUNT" ] || stop "These credentials are for account $account; the change belongs in $ACCOUNT. Nothing was changed."
