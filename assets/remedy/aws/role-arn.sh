arn=$(aws iam get-role --role-name "$NAME" --query Role.Arn --output text)
