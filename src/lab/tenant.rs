//! The directory and the subscription as operations change them, and who may.

use super::changing::Changing;
use super::clock::now;
use super::entra::{AccessTokens, Claims};
use super::keys::random_uuid;
use super::server::Received;
use super::world::AzureWorld;

/// The world with everything out of it that is not present, and with the ids that a description does not give.
pub(super) fn open(mut world: AzureWorld) -> Changing<AzureWorld> {
    world.apps.retain(|_, app| app.present);
    world.vault.roles.retain(|_, assignment| assignment.present);
    for (name, app) in &mut world.apps {
        app.registration_id = random_uuid();
        if app.display_name.is_empty() {
            app.display_name.clone_from(name);
        }
        app.credentials.retain(|_, credential| credential.present);
        app.credentials.values_mut().for_each(|credential| credential.id = random_uuid());
        app.client_secrets.iter_mut().for_each(|secret| secret.key_id = random_uuid());
    }
    Changing::new(world)
}

/// Why a bearer token proves nobody.
pub(super) enum Rejection {
    /// There is none.
    Missing,
    /// It is not Entra's, or too old.
    Invalid,
    /// It is for another service.
    OtherAudience,
}

/// The holder of the request's token, which must be for one of the audiences.
pub(super) fn bearer(request: &Received, tokens: &AccessTokens, audiences: &[&str]) -> Result<Claims, Rejection> {
    let token = request.header("authorization").strip_prefix("Bearer ").ok_or(Rejection::Missing)?;
    let claims = tokens.read(token).filter(|claims| claims.exp > now()).ok_or(Rejection::Invalid)?;
    if audiences.contains(&claims.aud.trim_end_matches('/')) { Ok(claims) } else { Err(Rejection::OtherAudience) }
}
