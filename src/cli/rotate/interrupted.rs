//! What becomes of a rotation that was interrupted when `trustline rotate` is called again.

use super::RotateArgs;
use crate::cli::exit::CliError;
use crate::cli::rotation_files::RotationFiles;
use crate::cli::terminal;
use crate::run::rotation::event::RotationMethod;
use crate::run::rotation::event::SessionCheckpoint;
use crate::run::rotation::session::Earlier;

/// What the session has from an earlier one, and who writes the new value.
///
/// A rotation that had begun is never forgotten unasked: what was seen before it cannot be seen again.
///
/// # Errors
/// There is one, and nothing says what to do with it; or there is none to go on with.
pub(super) fn take_up(args: &RotateArgs, files: &mut RotationFiles) -> Result<(Earlier, RotationMethod), CliError> {
    let way = args.way();
    if args.start_anew {
        files.forget()?;
        return Ok((Earlier::default(), way));
    }
    if matches!(way, RotationMethod::Watch | RotationMethod::Already) {
        return Ok((Earlier::default(), way));
    }
    match files.interrupted()? {
        None if args.resume => {
            Err(CliError::new("no rotation of this secret was interrupted, so there is none to go on with")
                .with_hint("leave out --resume to begin one"))
        }
        None => Ok((Earlier::default(), way)),
        Some(kept) if args.resume => {
            terminal::note(&format!(
                "going on with the rotation that began {} and was interrupted; what was seen before is kept",
                kept.started
            ));
            let earlier = kept.earlier();
            let way = if way == RotationMethod::ByHand && is_written(&kept) { kept.way } else { way };
            files.go_on(kept);
            Ok((earlier, way))
        }
        Some(kept) if kept.begun => Err(CliError::new(format!(
            "a rotation of {} that began {} was interrupted, and the new value may have been written",
            kept.secrets.join(", "),
            kept.started
        ))
        .with_hint("--resume goes on with it: what was seen before is kept, and what was written is not written again")
        .with_hint("--start-anew forgets it")),
        Some(kept) => {
            terminal::note(&format!(
                "the rotation that began {} was interrupted before anything was written; this one begins anew",
                kept.started
            ));
            Ok((Earlier::default(), way))
        }
    }
}

/// Whether all of its secrets were written.
fn is_written(kept: &SessionCheckpoint) -> bool {
    kept.secrets.iter().all(|secret| kept.written.iter().any(|written| written.secret == *secret))
}
