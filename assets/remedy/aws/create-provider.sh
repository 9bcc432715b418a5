aws iam create-open-id-connect-provider --cli-input-json "file://$work/provider.json" --query OpenIDConnectProviderArn --output text
