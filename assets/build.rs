//! Turns the TOML files of `assets`, which people write, into JSON, which the program reads in a tenth of the instructions.

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

const FOLDERS: [&str; 5] = ["causes", "clients", "guides", "issuers", "lab"];

fn main() -> Result<(), Box<dyn Error>> {
    let (assets, out) = (Path::new("assets"), env::var("OUT_DIR")?);
    for folder in FOLDERS {
        let from = assets.join(folder);
        println!("cargo::rerun-if-changed={}", from.display());
        let into = Path::new(&out).join(folder);
        fs::create_dir_all(&into)?;
        for entry in fs::read_dir(&from)? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "toml") {
                continue;
            }
            let read = toml::from_str::<serde_json::Value>(&fs::read_to_string(&path)?);
            let value = read.map_err(|error| format!("{}: {error}", path.display()))?;
            let name = path.file_stem().ok_or("a file without a name")?;
            let json = into.join(name).with_added_extension("json");
            fs::write(json, value.to_string())?;
        }
    }
    if env::var("PROFILE")? == "release" && loader_reads_packed_relocations() {
        // 40,000 addresses are filled in before the first line runs; packed, they take a third of the instructions and a
        // megabyte less of the file.
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    Ok(())
}

/// Whether the program is made for this machine, and its loader is one of glibc 2.36 or later. Others refuse such programs.
fn loader_reads_packed_relocations() -> bool {
    let variable = |name| env::var(name).unwrap_or_default();
    if variable("HOST") != variable("TARGET") || variable("CARGO_CFG_TARGET_ENV") != "gnu" {
        return false;
    }
    let asked = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    let answer = asked.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let version = answer.trim().strip_prefix("glibc 2.").and_then(|minor| minor.split('.').next()?.parse::<u32>().ok());
    version.is_some_and(|minor| minor >= 36)
}
