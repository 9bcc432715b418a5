//! The setup guides as one table: what each sets up, for whose tokens, and how these become credentials.

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use super::ids::{Cloud, UnknownId, stable_ids};

stable_ids!(Guide, Workload);

/// How a workload comes by the cloud's credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Its token is exchanged for a session.
    TokenExchange,
    /// It proves itself with a key of the cloud's own: an access key, a client secret, a service account's key.
    AccessKey,
    /// It assumes a role with an access key.
    AssumeRole,
}

/// What holds the token, or the key, and wants the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumString, Display, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case", const_into_str, parse_err_ty = UnknownId, parse_err_fn = UnknownId::workload)]
pub enum Workload {
    /// An automation of the agent platform.
    Platform,
    /// A job of GitHub Actions.
    Github,
    /// A job of GitLab CI.
    Gitlab,
    /// A job of CircleCI.
    Circleci,
    /// A pod of a Kubernetes cluster.
    Kubernetes,
}

/// Where a guide has its causes set right, as far as the catalogue does not say it of the guide itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alike {
    /// The guide whose steps go the same way.
    pub guide: Guide,
    /// The last step, in which all that comes later there is one.
    pub last: u8,
}

macro_rules! guides {
    ($($name:ident = $id:literal, $cloud:ident, $flow:ident, $workload:ident $(, as $alike:ident up to $last:literal)?;)*) => {
        /// The setup guide a profile follows; decides which checks apply.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumString, Display, IntoStaticStr, VariantArray)]
        #[strum(serialize_all = "kebab-case", const_into_str, parse_err_ty = UnknownId, parse_err_fn = UnknownId::guide)]
        pub enum Guide { $($name,)* }

        impl Guide {
            /// The cloud that it sets up.
            pub const fn cloud(self) -> Cloud {
                match self { $(Guide::$name => Cloud::$cloud,)* }
            }

            /// How its workloads come by credentials.
            pub const fn flow(self) -> Flow {
                match self { $(Guide::$name => Flow::$flow,)* }
            }

            /// What its workloads are.
            pub const fn workload(self) -> Workload {
                match self { $(Guide::$name => Workload::$workload,)* }
            }

            /// The guide whose steps go the same way, where one does.
            pub const fn alike(self) -> Option<Alike> {
                match self { $(Guide::$name => alike!($($alike $last)?),)* }
            }

            /// Its text, as JSON. A guide without a file does not compile.
            pub const fn source(self) -> &'static str {
                match self { $(Guide::$name => asset!(concat!("guides/", $id)),)* }
            }
        }
    };
}

macro_rules! alike {
    () => {
        None
    };
    ($guide:ident $last:literal) => {
        Some(Alike { guide: Guide::$guide, last: $last })
    };
}

guides! {
    AwsWorkloadIdentity = "aws-workload-identity", Aws, TokenExchange, Platform;
    AzureWorkloadIdentity = "azure-workload-identity", Azure, TokenExchange, Platform;
    GcpWorkloadIdentity = "gcp-workload-identity", Gcp, TokenExchange, Platform;
    AwsStatic = "aws-static", Aws, AccessKey, Platform;
    AwsAssumeRole = "aws-assume-role", Aws, AssumeRole, Platform;
    AzureStatic = "azure-static", Azure, AccessKey, Platform;
    GcpStatic = "gcp-static", Gcp, AccessKey, Platform;
    GithubAws = "github-aws", Aws, TokenExchange, Github, as GitlabAws up to 3;
    GithubAzure = "github-azure", Azure, TokenExchange, Github, as AzureWorkloadIdentity up to 6;
    GithubGcp = "github-gcp", Gcp, TokenExchange, Github, as GcpWorkloadIdentity up to 6;
    GitlabAws = "gitlab-aws", Aws, TokenExchange, Gitlab;
    CircleciAws = "circleci-aws", Aws, TokenExchange, Circleci;
    KubernetesAws = "kubernetes-aws", Aws, TokenExchange, Kubernetes, as GitlabAws up to 3;
    KubernetesAzure = "kubernetes-azure", Azure, TokenExchange, Kubernetes, as AzureWorkloadIdentity up to 6;
    KubernetesGcp = "kubernetes-gcp", Gcp, TokenExchange, Kubernetes, as GcpWorkloadIdentity up to 6;
}

impl Workload {
    /// What people call it, as a heading.
    pub const fn name(self) -> &'static str {
        match self {
            Workload::Platform => "The agent platform",
            Workload::Github => "GitHub Actions",
            Workload::Gitlab => "GitLab CI",
            Workload::Circleci => "CircleCI",
            Workload::Kubernetes => "Kubernetes",
        }
    }
}

impl Cloud {
    /// The guide of a platform's tokens at it.
    pub const fn workload_identity(self) -> Guide {
        match self {
            Cloud::Aws => Guide::AwsWorkloadIdentity,
            Cloud::Azure => Guide::AzureWorkloadIdentity,
            Cloud::Gcp => Guide::GcpWorkloadIdentity,
        }
    }
}

impl Guide {
    /// The guide for such tokens at a cloud, where there is one.
    pub fn for_tokens(workload: Workload, cloud: Cloud) -> Option<Guide> {
        let fits = |guide: &Guide| {
            guide.workload() == workload && guide.cloud() == cloud && guide.flow() == Flow::TokenExchange
        };
        Guide::ALL.iter().copied().find(fits)
    }

    /// Whether the caller signs with an access key.
    pub const fn is_aws_access_key(self) -> bool {
        matches!((self.cloud(), self.flow()), (Cloud::Aws, Flow::AccessKey | Flow::AssumeRole))
    }

    /// Whether its workloads prove themselves with a key of Entra's or of Google's: no token takes part.
    pub const fn is_key_beside_aws(self) -> bool {
        matches!((self.cloud(), self.flow()), (Cloud::Azure | Cloud::Gcp, Flow::AccessKey))
    }

    /// Whether a web identity token is exchanged at AWS STS.
    pub const fn is_aws_web_identity(self) -> bool {
        matches!((self.cloud(), self.flow()), (Cloud::Aws, Flow::TokenExchange))
    }

    /// Whether AWS's own name is the audience of its tokens where nothing else is said.
    pub const fn takes_usual_aws_audience(self) -> bool {
        let own = matches!(self.workload(), Workload::Gitlab | Workload::Circleci);
        self.is_aws_web_identity() && !own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guide_is_of_one_cloud_and_one_flow() {
        for guide in Guide::ALL {
            assert_eq!(guide.id().parse(), Ok(*guide));
            let kinds = [guide.is_aws_access_key(), guide.is_aws_web_identity(), guide.cloud() != Cloud::Aws];
            assert_eq!(kinds.iter().filter(|is| **is).count(), 1, "{guide}");
        }
    }

    #[test]
    fn tokens_lead_to_one_guide_for_each_cloud() {
        for &guide in Guide::ALL {
            let found = Guide::for_tokens(guide.workload(), guide.cloud());
            assert_eq!(found == Some(guide), guide.flow() == Flow::TokenExchange, "{guide}");
        }
        assert_eq!(Guide::for_tokens(Workload::Circleci, Cloud::Gcp), None);
    }

    #[test]
    fn a_guide_goes_as_one_of_the_same_cloud_does() {
        for &guide in Guide::ALL {
            if let Some(alike) = guide.alike() {
                assert!(alike.guide.alike().is_none(), "{guide} goes as one that goes as another");
                assert_eq!((alike.guide.cloud(), alike.guide.flow()), (guide.cloud(), guide.flow()), "{guide}");
            }
        }
    }
}
