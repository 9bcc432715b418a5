//! How a lab comes up: its ports, then the world that names them, then the services behind them.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::accounts::{Accounts, EachAccount, open_tenant};
use super::arm::{Arm, Neighbours};
use super::authority::{self, Authority};
use super::cloudtrail::CloudTrail;
use super::deployment::{Clouds, Deployment, Worker};
use super::entra::{AccessTokens, Entra};
use super::fetcher::Fetcher;
use super::google::{self, Google};
use super::graph::Graph;
use super::iam::Iam;
use super::issuer::Issuer;
use super::keys::{Keys, random_uuid};
use super::kms::Kms;
use super::secretsmanager::SecretsManager;
use super::server::{Port, ServerOptions, Service};
use super::sign_ins::SignIns;
use super::sts::Sts;
use super::toolbox::Toolbox;
use super::vault::Vault;
use super::world::{Certificate, Description, ServiceUrls};
use super::{Endpoints, Lab, LabError, LabOptions, Mint, World, keys_of, profile};
use crate::domain::certificate::Chain;
use crate::panic_guard::guard_task;

/// How the deployment's worker names itself to the clouds.
const WORKER: &str = "trustline-lab-worker";

impl Lab {
    /// Starts the world's services on the current tokio runtime. They answer as soon as this returns.
    ///
    /// # Errors
    ///
    /// Where no port opens, or the world makes no sense with its addresses filled in.
    pub fn start(world: &World, options: LabOptions) -> Result<Self, LabError> {
        let ports = Ports::bind()?;
        let endpoints = ports.endpoints();
        let description = world.describe(&ports.service_urls())?;
        let authority = Authority::new()?;
        let keys = Arc::new(Keys::new()?);

        let inside: Arc<str> = format!("trustline-lab/{}", random_uuid()).into();
        let trusted: Vec<CertificateDer<'static>> =
            std::iter::once(authority.der()).chain(options.authorities).collect();
        let fetcher = Fetcher::new(trusted.into(), inside.clone());
        let options = ServerOptions {
            idle_limit: options.idle_limit,
            delay: options.delay,
            inside,
            ahead_s: description.clock_offset_s,
            own_ahead_s: 0,
        };
        let (stop, stopped) = watch::channel(());
        let tls = authority.server(Certificate::Valid)?;
        let mut serving = Serving { tls, options, stopped, tasks: Vec::new() };

        serving.issuer(ports.issuer, &description, &keys, &authority)?;
        serving.aws(ports.aws, &description, &fetcher, &authority)?;
        let read_vault = serving.azure(ports.azure, &description, &fetcher)?;
        let google = Google::new(&description.google, &keys, fetcher, &endpoints.google, description.clock_offset_s)?;
        serving.tasks.extend(ports.google.serve(&google, &serving.tls, &serving.options, &serving.stopped)?);
        let clouds = Clouds {
            http: authority::client_trusting(&authority.der(), WORKER).ok_or(LabError::Keys)?,
            sts: endpoints.sts.clone(),
            secretsmanager: endpoints.secretsmanager.clone(),
            entra: endpoints.entra.clone().unwrap_or_default(),
            vault: read_vault,
            google: endpoints.google.clone(),
        };
        serving.deployment(ports.deployment, &description, &keys, clouds)?;

        let profile = profile(&description, &google, &keys);
        Ok(Lab {
            endpoints,
            ca_pem: authority.pem(),
            role_arn: profile.role_arn.clone(),
            account: description.aws.account.clone(),
            region: profile.region.clone(),
            secret: profile.secret.clone(),
            profile,
            operator: keys_of(&description, &google, "operator"),
            secrets_admin: keys_of(&description, &google, "secrets-admin"),
            scenario: description.name.clone(),
            mint: Mint { description, keys },
            stop,
            servers: serving.tasks,
        })
    }
}

/// The ports of every service, bound before the world that names them is built.
struct Ports {
    issuer: Port,
    aws: AwsPorts,
    azure: AzurePorts,
    google: google::Ports,
    deployment: Port,
}

struct AwsPorts {
    sts: Port,
    iam: Port,
    secretsmanager: Port,
    kms: Port,
    cloudtrail: Port,
    toolbox: Port,
}

struct AzurePorts {
    entra: Port,
    vault: Port,
    graph: Port,
    arm: Port,
}

impl Ports {
    fn bind() -> Result<Self, LabError> {
        Ok(Ports {
            issuer: Port::bind()?,
            aws: AwsPorts {
                sts: Port::bind()?,
                iam: Port::bind()?,
                secretsmanager: Port::bind()?,
                kms: Port::bind()?,
                cloudtrail: Port::bind()?,
                toolbox: Port::bind()?,
            },
            azure: AzurePorts { entra: Port::bind()?, vault: Port::bind()?, graph: Port::bind()?, arm: Port::bind()? },
            google: google::Ports::bind()?,
            deployment: Port::bind()?,
        })
    }

    fn endpoints(&self) -> Endpoints {
        let Ports { issuer, aws, azure, google, deployment } = self;
        Endpoints {
            issuer: issuer.url(),
            sts: aws.sts.url(),
            iam: aws.iam.url(),
            secretsmanager: aws.secretsmanager.url(),
            kms: aws.kms.url(),
            cloudtrail: aws.cloudtrail.url(),
            iam_toolbox: aws.toolbox.url(),
            entra: Some(azure.entra.url()),
            vault: Some(azure.vault.url()),
            graph: azure.graph.url(),
            arm: azure.arm.url(),
            deployment: Some(deployment.url()),
            google: google.urls(),
        }
    }

    fn service_urls(&self) -> ServiceUrls {
        ServiceUrls {
            issuer: self.issuer.url(),
            entra: self.azure.entra.url(),
            graph: self.azure.graph.url(),
            vault: self.azure.vault.url(),
            deployment: self.deployment.url(),
        }
    }
}

/// The services that answer, and what they share.
struct Serving {
    tls: Arc<ServerConfig>,
    options: ServerOptions,
    stopped: watch::Receiver<()>,
    tasks: Vec<JoinHandle<()>>,
}

impl Serving {
    fn serve<S: Service>(&mut self, port: Port, service: S) -> Result<(), LabError> {
        let (tls, options, stopped) = (self.tls.clone(), self.options.clone(), self.stopped.clone());
        self.tasks.push(port.serve(tls, Arc::new(service), options, stopped)?);
        Ok(())
    }

    /// The issuer has a certificate and a clock of its own.
    fn issuer(
        &mut self,
        port: Port,
        world: &Description,
        keys: &Arc<Keys>,
        authority: &Authority,
    ) -> Result<(), LabError> {
        let tls = match world.issuer.certificate {
            Certificate::Valid => self.tls.clone(),
            kind => authority.server(kind)?,
        };
        let options = ServerOptions { own_ahead_s: world.issuer.clock_offset_s, ..self.options.clone() };
        let issuer = Arc::new(Issuer::new(world, keys.clone()));
        self.tasks.push(port.serve(tls, issuer, options, self.stopped.clone())?);
        Ok(())
    }

    fn aws(
        &mut self,
        ports: AwsPorts,
        world: &Description,
        fetcher: &Fetcher,
        authority: &Authority,
    ) -> Result<(), LabError> {
        let accounts = Arc::new(Accounts::new(world.aws.clone(), world.sub_account.clone())?);
        let thumbprint = Chain::read(&[authority.der()]).thumbprint().unwrap_or_default().to_owned();
        let iam = |account| Iam::new(account, fetcher.clone(), thumbprint.clone());
        self.serve(ports.iam, EachAccount::new(accounts.clone(), iam))?;
        self.serve(ports.sts, Sts::new(accounts.clone(), fetcher.clone()))?;
        self.serve(ports.kms, EachAccount::new(accounts.clone(), Kms::new))?;
        self.serve(ports.cloudtrail, EachAccount::new(accounts.clone(), CloudTrail::new))?;
        self.serve(ports.toolbox, EachAccount::new(accounts.clone(), Toolbox::new))?;
        self.serve(ports.secretsmanager, EachAccount::new(accounts, SecretsManager::new))
    }

    /// Yields the address of the vault that the automation reads.
    fn azure(&mut self, ports: AzurePorts, world: &Description, fetcher: &Fetcher) -> Result<String, LabError> {
        let AzurePorts { entra, vault, graph, arm } = ports;
        let places = Neighbours { entra: entra.url(), graph: graph.url(), arm: arm.url(), vault: vault.url() };
        let tenant = Arc::new(open_tenant(world.azure.clone()));
        let access_tokens = Arc::new(AccessTokens::new()?);
        let sign_ins = Arc::new(SignIns::default());
        let mut read_vault = vault.url();
        if world.deployment.source.second_vault {
            let (port, mut azure) = (Port::bind()?, world.azure.clone());
            azure.vault.secrets = std::mem::take(&mut azure.second_vault);
            read_vault = port.url();
            let second = Vault::new(Arc::new(open_tenant(azure)), port.url(), access_tokens.clone());
            self.serve(port, second)?;
        }
        let sign_in_service =
            Entra::new(tenant.clone(), fetcher.clone(), access_tokens.clone(), entra.url(), sign_ins.clone());
        self.serve(entra, sign_in_service)?;
        let url = vault.url();
        self.serve(vault, Vault::new(tenant.clone(), url, access_tokens.clone()))?;
        let url = graph.url();
        self.serve(graph, Graph::new(tenant.clone(), access_tokens.clone(), url, sign_ins))?;
        self.serve(arm, Arm::new(tenant, access_tokens, places))?;
        Ok(read_vault)
    }

    fn deployment(
        &mut self,
        port: Port,
        world: &Description,
        keys: &Arc<Keys>,
        clouds: Clouds,
    ) -> Result<(), LabError> {
        let worker = Arc::new(Worker::new(world.clone(), keys.clone(), clouds));
        self.serve(port, Deployment::new(world.deployment.clone(), worker.clone()))?;
        // What a static credential reads, it reads now: the value becomes part of the image.
        tokio::spawn(guard_task(async move { worker.deploy().await }));
        Ok(())
    }
}
