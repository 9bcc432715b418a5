//! Turns the TOML files of `assets`, which people write, into JSON, which the program reads in a tenth of the instructions.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

const FOLDERS: [&str; 6] = ["causes", "clients", "clouds", "guides", "issuers", "lab"];

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
    Ok(())
}
