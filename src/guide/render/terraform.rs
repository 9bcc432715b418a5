//! The cloud's side as Terraform. No secret value and no access key stands in it: the state would keep them readable.

use super::super::form::hcl::{Block, Expr, document, from_json};
use super::super::values::{READER, TemplateContext};
use super::{aws, azure, google};
use crate::domain::guide::Flow;
use crate::domain::ids::Cloud;
use crate::domain::national_cloud;
use crate::domain::profile::Guide;
use crate::domain::profile::key::Key;

pub(super) fn terraform(filling: &mut TemplateContext<'_>) -> String {
    let blocks = match (filling.guide().cloud(), filling.guide().flow()) {
        (Cloud::Azure, _) => azure_blocks(filling),
        (Cloud::Gcp, _) => {
            [vec![required(&[("google", "hashicorp/google", ">= 5.0")])], google::blocks(filling)].concat()
        }
        (Cloud::Aws, Flow::AccessKey) => static_blocks(filling),
        (Cloud::Aws, Flow::AssumeRole) => assume_role_blocks(filling),
        (Cloud::Aws, Flow::TokenExchange) => web_identity_blocks(filling),
    };
    document(&blocks)
}

fn required(providers: &[(&'static str, &'static str, &'static str)]) -> Block {
    let providers = providers.iter().fold(Block::new("required_providers", &[]), |block, (name, source, version)| {
        let entries = vec![("source".to_owned(), (*source).into()), ("version".to_owned(), (*version).into())];
        block.with(name, Expr::Object(entries))
    });
    Block::new("terraform", &[]).block(providers)
}

fn aws_provider(filling: &mut TemplateContext<'_>) -> Vec<Block> {
    vec![
        required(&[("aws", "hashicorp/aws", ">= 5.0")]),
        Block::new("provider", &["aws"]).with("region", filling.region()),
    ]
}

fn encoded(json: &serde_json::Value) -> Expr {
    Expr::Call("jsonencode", vec![from_json(json)])
}

fn web_identity_blocks(filling: &mut TemplateContext<'_>) -> Vec<Block> {
    let mut blocks = aws_provider(filling);
    blocks.push(
        Block::new("resource", &["aws_iam_openid_connect_provider", "issuer"])
            .with("url", filling.issuer())
            .with("client_id_list", Expr::List(vec![filling.audience().into()])),
    );
    blocks.push(
        Block::new("resource", &["aws_iam_role", "reader"])
            .with("name", filling.role_name())
            .maybe("path", filling.role_path())
            .with("assume_role_policy", encoded(&aws::trust(filling).json()))
            // The policy names the provider by its ARN, which tells Terraform nothing about the order.
            .with("depends_on", Expr::List(vec![Expr::Reference("aws_iam_openid_connect_provider.issuer")])),
    );
    blocks.push(role_policy(filling));
    if filling.known(Key::TargetRoleArn).is_some() && filling.guide() == Guide::CircleciAws {
        blocks.push(
            Block::new("resource", &["aws_iam_role_policy", "assume_target"])
                .because("The role in the sub-account itself belongs to that account's configuration.")
                .with("name", "AssumeTargetRole")
                .with("role", Expr::Reference("aws_iam_role.reader.name"))
                .with("policy", encoded(&aws::caller(filling).json())),
        );
    }
    blocks
}

fn role_policy(filling: &mut TemplateContext<'_>) -> Block {
    Block::new("resource", &["aws_iam_role_policy", "secrets"])
        .with("name", "SecretsManagerRead")
        .with("role", Expr::Reference("aws_iam_role.reader.name"))
        .with("policy", encoded(&aws::secrets(filling).json()))
}

fn user() -> Block {
    Block::new("resource", &["aws_iam_user", "reader"])
        .because("Its access key is made with the CLI: Terraform's state would keep the secret half readable.")
        .with("name", READER)
}

fn static_blocks(filling: &mut TemplateContext<'_>) -> Vec<Block> {
    let mut blocks = aws_provider(filling);
    blocks.push(user());
    blocks.push(
        Block::new("resource", &["aws_iam_policy", "secrets"])
            .with("name", "CrewAISecretsManagerRead")
            .with("policy", encoded(&aws::secrets(filling).json())),
    );
    blocks.push(
        Block::new("resource", &["aws_iam_user_policy_attachment", "secrets"])
            .with("user", Expr::Reference("aws_iam_user.reader.name"))
            .with("policy_arn", Expr::Reference("aws_iam_policy.secrets.arn")),
    );
    blocks
}

fn assume_role_blocks(filling: &mut TemplateContext<'_>) -> Vec<Block> {
    let mut blocks = aws_provider(filling);
    blocks.push(user());
    blocks.push(
        Block::new("resource", &["aws_iam_role", "reader"])
            .with("name", filling.role_name())
            .maybe("path", filling.role_path())
            .with("assume_role_policy", encoded(&aws::trust(filling).json()))
            // IAM refuses a principal that does not exist yet.
            .with("depends_on", Expr::List(vec![Expr::Reference("aws_iam_user.reader")])),
    );
    blocks.push(role_policy(filling));
    blocks.push(
        Block::new("resource", &["aws_iam_user_policy", "assume_role"])
            .with("name", "AssumeSecretsRole")
            .with("user", Expr::Reference("aws_iam_user.reader.name"))
            .with("policy", encoded(&aws::caller(filling).json())),
    );
    blocks
}

fn azure_blocks(filling: &mut TemplateContext<'_>) -> Vec<Block> {
    let national = filling.azure_cloud();
    let environment = match national {
        cloud if cloud == national_cloud::US_GOVERNMENT => Some("usgovernment"),
        cloud if cloud == national_cloud::CHINA => Some("china"),
        _ => None,
    };
    let application = Block::new("resource", &["azuread_application", "reader"])
        .with("display_name", filling.names().reader)
        .with("sign_in_audience", "AzureADMyOrg");
    let (application, credential) = match filling.guide().flow() {
        Flow::TokenExchange => (application, Some(federated_credential(filling))),
        _ => (
            application.because("Its client secret is made with the CLI: Terraform's state would keep it readable."),
            None,
        ),
    };
    let begin = vec![
        required(&[("azuread", "hashicorp/azuread", ">= 3.0"), ("azurerm", "hashicorp/azurerm", ">= 4.0")]),
        Block::new("provider", &["azuread"])
            .with("tenant_id", filling.value(Key::TenantId))
            .maybe("environment", environment),
        Block::new("provider", &["azurerm"])
            .with("subscription_id", filling.value(Key::SubscriptionId))
            .with("tenant_id", filling.value(Key::TenantId))
            .maybe("environment", environment)
            .block(Block::new("features", &[])),
        application,
        Block::new("resource", &["azuread_service_principal", "reader"])
            .because("Without it Entra refuses the exchange (AADSTS7000229).")
            .with("client_id", Expr::Reference("azuread_application.reader.client_id")),
    ];
    let access = vec![
        Block::new("data", &["azurerm_key_vault", "secrets"])
            .with("name", filling.vault_name())
            .with("resource_group_name", filling.value(Key::ResourceGroup)),
        Block::new("resource", &["azurerm_role_assignment", "reader"])
            .because("For one secret alone, append `/secrets/NAME` to the scope; the platform cannot list names then.")
            .with("scope", Expr::Reference("data.azurerm_key_vault.secrets.id"))
            .with("role_definition_name", azure::VAULT_ROLE)
            .with("principal_id", Expr::Reference("azuread_service_principal.reader.object_id"))
            .with("principal_type", "ServicePrincipal"),
    ];
    begin.into_iter().chain(credential).chain(access).collect()
}

fn federated_credential(filling: &mut TemplateContext<'_>) -> Block {
    Block::new("resource", &["azuread_application_federated_identity_credential", "platform"])
        .with("application_id", Expr::Reference("azuread_application.reader.id"))
        .with("display_name", filling.names().credential)
        .with("issuer", filling.issuer())
        .with("subject", filling.subject().text)
        .with("audiences", Expr::List(vec![filling.azure_cloud().credential_audience.into()]))
}
