//! The workflows, jobs and manifests of the guides, read by their makers' own schemas.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::Home;
use crate::support::outside;

/// Each artifact with the guides that have it, and the program of the schemas that reads it, with its arguments.
const READERS: [(&str, &[&str], &[&str]); 4] = [
    (
        "github-workflow",
        &["github-aws", "github-azure", "github-gcp"],
        &["check-jsonschema", "--builtin-schema", "vendor.github-workflows"],
    ),
    ("gitlab-job", &["gitlab-aws"], &["check-jsonschema", "--builtin-schema", "vendor.gitlab-ci"]),
    ("circleci-config", &["circleci-aws"], &["check-jsonschema", "--builtin-schema", "vendor.circle-ci"]),
    (
        "kubernetes-manifest",
        &["kubernetes-aws", "kubernetes-azure", "kubernetes-gcp"],
        &["kubernetes-validate", "--strict"],
    ),
];

/// What a reader says of these files, and whether they fit.
fn read(reader: &[&str], files: &[PathBuf]) -> (bool, String) {
    let program = outside("TRUSTLINE_TEST_SCHEMAS").join(reader[0]);
    let output = Command::new(program).args(&reader[1..]).args(files).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[test]
#[ignore = "needs check-jsonschema and kubernetes-validate"]
fn what_a_guide_gives_to_ci_systems_and_clusters_fits_their_schemas() {
    let folder = tempfile::tempdir().unwrap();
    for (artifact, guides, reader) in READERS {
        let files: Vec<PathBuf> = guides
            .iter()
            .map(|guide| {
                let path = folder.path().join(format!("{guide}-{artifact}.yml"));
                fs::write(&path, Home::with(guide).render(artifact)).unwrap();
                path
            })
            .collect();
        let (fits, said) = read(reader, &files);
        assert!(fits, "{artifact}: {said}");
        // A reader that takes anything would show nothing.
        let spoilt = folder.path().join(format!("spoilt-{artifact}.yml"));
        let text = fs::read_to_string(&files[0]).unwrap();
        fs::write(
            &spoilt,
            text.replace("runs-on:", "run-on:")
                .replace("containers:", "container:")
                .replace("script:", "skript:")
                .replace("docker:", "dokker:"),
        )
        .unwrap();
        let (fits, said) = read(reader, &[spoilt]);
        assert!(!fits, "{artifact} spoilt: {said}");
    }
}
