//! Files that a person was handed, texts that they paste, and what an automation prints.

use std::path::Path;

use serde_json::from_slice;
use trustline::domain::profile::Guide;
use trustline::domain::profile::document;
use trustline::domain::profile::resolve::resolve;
use trustline::domain::rotation::evidence::check;
use trustline::domain::runtime_output::RuntimeOutput;
use trustline::domain::text::{visible, visible_lines};
use trustline::guide::{Artifact, SetupGuide, Values, confirmations, import, render, shown};
use trustline::lab::World;
use trustline::lab::world::ServiceUrls;
use trustline::probe::secret_value::SecretValue;
use trustline::report::line::{Line, Role, Wrap, fit};
use trustline::report::{junit, rotation, run};
use trustline::run::record::{self, Recorded};
use trustline::run::report::Report;
use trustline::run::rotation::event::SessionCheckpoint;
use trustline::run::rotation::report::RotationReport;
use trustline::tui::config;

use super::{Target, written};

const GUIDE: Guide = Guide::AwsWorkloadIdentity;

pub const TARGETS: &[Target] = &[
    Target {
        name: "profile",
        seeds: &[
            "guide = \"aws-workload-identity\"\n[aws]\nrole-arn = \"arn:aws:iam::1:role/r\"\n",
            "[token]\ncommand = [\"sh\"]",
            "[[aws]]",
            "a.b.c.d = [[[]]]",
        ],
        read: |bytes| {
            let (settings, problems) = document::parse(&String::from_utf8_lossy(bytes), Path::new("p.toml"));
            let said: Vec<String> = problems.iter().map(|p| format!("{p} {}", p.instead)).collect();
            let resolved = resolve("p", &[], &settings, &|_| None);
            let shown = match resolved {
                Ok(resolved) => {
                    let values = Values::of(resolved.profile.guide, &resolved.settings);
                    Artifact::of(resolved.profile.guide).map(|artifact| render(artifact, &values).text).collect()
                }
                Err(problems) => problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
            };
            visible_lines(&(said.join("\n") + &shown.join("\n")))
        },
    },
    Target {
        name: "recording",
        seeds: &[
            "{\"schema\":\"trustline.recording/1\",\"version\":\"0\"}\n{\"seq\":0,\"at_ms\":0,\"event\":\"planned\",\"profile\":\"\\u001b[2J\",\"guide\":\"g\",\"started\":\"\\u202e\",\"checks\":[{\"id\":\"token.shape\",\"title\":\"\\u0007\"}]}\n",
            "{\"schema\":\"trustline.recording/1\",\"version\":\"0\"}\n{\"seq\":18446744073709551615,\"at_ms\":0,\"event\":\"done\",\"verdict\":\"pass\",\"duration_ms\":18446744073709551615,\"findings\":[]}\n",
            "{\"schema\":\"trustline.rotation-recording/1\",\"version\":\"0\"}\n{\"seq\":0,\"at_ms\":0,\"event\":\"started\",\"profile\":\"\\u001b[2J\",\"guide\":\"\\u202e\",\"started\":\"\\u0007\",\"secrets\":[\"\\u001b[2J\"],\"way\":\"already\",\"runtime\":true}\n",
        ],
        read: |bytes| match record::read(bytes) {
            Ok(Recorded::Run(recording)) => {
                let report = Report::of(&recording.events);
                written(|ctx| run::page(&report, ctx)) + &junit::report(&report)
            }
            Ok(Recorded::Rotation(recording)) => {
                let mut report = RotationReport::default();
                recording.events.iter().for_each(|event| report.apply(event));
                written(|ctx| rotation::page(&report, ctx))
            }
            Err(error) => visible_lines(&error.to_string()),
        },
    },
    Target {
        name: "guide data",
        seeds: &[
            include_str!("../../../../assets/guides/aws-workload-identity.toml"),
            "[confirmed.aws-workload-identity]\ncredential = \"\\u001b]0;x\"\n[shown.aws-workload-identity]\nrotation = \"x\"\n",
            "title = \"{a}{b\"\n[[steps]]\nnumber = 256\n",
        ],
        read: |bytes| {
            let text = String::from_utf8_lossy(bytes);
            let guide = (text.len() <= document::LARGEST).then(|| toml::from_str::<SetupGuide>(&text));
            let remembered = (confirmations(&text, GUIDE), shown(&text, GUIDE));
            visible_lines(&format!("{guide:?}{remembered:?}"))
        },
    },
    Target {
        name: "pasted text",
        seeds: &[
            "arn:aws:iam::123456789012:role/r",
            "https://i.example/.well-known/openid-configuration",
            "[[[[{}]]]]",
        ],
        read: |bytes| {
            let text = String::from_utf8_lossy(bytes);
            let read = [Guide::AwsWorkloadIdentity, Guide::AzureWorkloadIdentity].map(|guide| import(&text, guide));
            visible_lines(&format!("{read:?}"))
        },
    },
    Target {
        name: "evidence",
        seeds: &["{\"schema\":\"trustline.rotation-evidence/1\",\"chain\":\"\\u001b\",\"head\":{},\"records\":[]}"],
        read: |bytes| match check::parse(&String::from_utf8_lossy(bytes)) {
            Ok(document) => {
                let chain = check::read(&String::from_utf8_lossy(bytes));
                let breaks: Vec<String> =
                    chain.iter().flat_map(check::Chain::breaks).map(|broken| broken.to_string()).collect();
                visible_lines(&breaks.join("\n")) + &rotation::evidence::markdown(&document)
            }
            Err(error) => visible_lines(&error.to_string()),
        },
    },
    Target {
        name: "rotation session",
        seeds: &["{\"schema\":\"trustline.rotation-session/1\"}"],
        read: |bytes| match from_slice::<SessionCheckpoint>(bytes) {
            Ok(kept) => visible_lines(&format!("{:?}", kept.earlier())),
            Err(error) => visible_lines(&error.to_string()),
        },
    },
    Target {
        name: "lab world",
        seeds: &[
            include_str!("../../../../assets/lab/missing-kms.toml"),
            include_str!("../../../../assets/lab/azure-rbac-wrong-role.toml"),
            "[aws.roles.r]\ntrust = \"${issuer}\"\n",
        ],
        read: |bytes| match World::parse(&String::from_utf8_lossy(bytes)) {
            Ok(world) => {
                let described = world.describe(&ServiceUrls::of_issuer("https://127.0.0.1:1"));
                visible_lines(&format!("{:?}", described.map(|world| (world.name, world.title, world.expects))))
            }
            Err(error) => visible_lines(&error.to_string()),
        },
    },
    Target {
        name: "console settings",
        seeds: &[
            "theme = \"dark\"\n[keys]\nquit = \"ctrl+q\"\n[colors]\nbad = \"#ff0000\"\n",
            "[keys]\n\"\\u001b\" = \"é\"",
        ],
        read: |bytes| {
            let (config, problems) = config::parse(&String::from_utf8_lossy(bytes), "config.toml");
            visible_lines(&format!("{config:?}{}", problems.join("\n")))
        },
    },
    Target {
        name: "runtime output",
        seeds: &[
            "sha256:5d8269a65fdc",
            "hmac-sha256:5d8269a65fdc:00",
            "Workload identity config '' (aws): 9999999 secret(s) resolved",
        ],
        read: |bytes| visible_lines(&format!("{:?}", RuntimeOutput::of(&String::from_utf8_lossy(bytes)))),
    },
    Target {
        name: "secret value",
        seeds: &["{\"k\":\"v\\n\"}", "\"c2VjcmV0\"\r\n", "%73ecret"],
        read: |bytes| {
            let text = SecretValue::text(String::from_utf8_lossy(bytes).into_owned()).reduce(Some("k"));
            let binary = SecretValue::binary(bytes.to_vec()).reduce(None);
            let told = |value: &trustline::probe::secret_value::Reduced| {
                format!("{:?} {:?} {:?}", value.fingerprint, value.variants, value.field)
            };
            visible_lines(&(told(&text) + &told(&binary)))
        },
    },
    Target {
        name: "terminal text",
        seeds: &[
            "\u{1b}]52;c;AAAA\u{7}",
            "\u{9b}2J\u{90}q\u{9c}",
            "\u{202e}\u{2066}\u{200b}\u{e0041}",
            "a\r\nb\tc\u{8}",
        ],
        read: |bytes| {
            let text = String::from_utf8_lossy(bytes);
            visible(&text).into_owned() + &visible_lines(&text)
        },
    },
    Target {
        name: "wrapped text",
        seeds: &["a word and another\n  indented", "e\u{301}e\u{301} \u{4e2d}\u{6587}", "abcdefghijklmnopqrstuvwxyz"],
        read: |bytes| {
            let text = visible_lines(&String::from_utf8_lossy(bytes));
            let lines: Vec<Line> = text.split('\n').map(|line| Line::of(Role::Plain, line)).collect();
            let fitted = fit(&lines, 80, Wrap::Words, "…");
            let beside = lines.iter().take(1000).map(|line| line.window(70, 80, "…"));
            fitted.iter().map(Line::plain).chain(beside.map(|line| line.plain())).collect::<Vec<_>>().join("\n")
        },
    },
];
