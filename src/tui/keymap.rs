//! Which key does what: the commands' own keys, with changes from the configuration.

use std::collections::BTreeMap;

use super::command::{COMMANDS, CommandId, Scope};
use super::key::{Key, UnknownKey};

/// Which key does what, in which scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap {
    bindings: BTreeMap<(Scope, Key), CommandId>,
    /// For each scope and command the key to show.
    shown: BTreeMap<(Scope, CommandId), Key>,
}

/// What is wrong with a change of keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeymapError {
    #[error("no command is called `{name}`; {}", did_you_mean(.nearest))]
    UnknownCommand { name: String, nearest: Option<&'static str> },
    #[error("{0}")]
    UnknownKey(#[from] UnknownKey),
    #[error("`{key}` already does `{other}` {place}; change that key too")]
    Taken { key: Key, other: &'static str, place: String },
    #[error("`{0}` would have no key; write at least one")]
    NoKey(&'static str),
}

fn did_you_mean(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(|| "the palette lists them all".to_owned(), |name| format!("did you mean `{name}`?"))
}

/// The command's name and its keys instead of its own.
pub type KeyPatch = Vec<(String, Vec<String>)>;

impl Default for Keymap {
    fn default() -> Self {
        let mut keymap = Keymap { bindings: BTreeMap::new(), shown: BTreeMap::new() };
        for command in COMMANDS {
            let keys: Vec<Key> = command.keys.iter().filter_map(|key| key.parse().ok()).collect();
            keymap.bind(command.id, command.scopes, &keys);
        }
        keymap
    }
}

impl Keymap {
    /// The default keys with changes. What is wrong with a change is told, and the rest applies.
    pub fn patched(patch: &KeyPatch) -> (Self, Vec<KeymapError>) {
        let (mut keymap, mut errors, mut changes) = (Keymap::default(), Vec::new(), Vec::new());
        for (name, keys) in patch {
            let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
                let names = COMMANDS.iter().map(|command| command.name);
                let nearest = crate::domain::text_difference::nearest(name, names);
                errors.push(KeymapError::UnknownCommand { name: name.clone(), nearest });
                continue;
            };
            match keys.iter().map(|key| key.parse::<Key>()).collect::<Result<Vec<_>, _>>() {
                Err(error) => errors.push(error.into()),
                Ok(keys) if keys.is_empty() => errors.push(KeymapError::NoKey(command.name)),
                Ok(keys) => changes.push((command, keys)),
            }
        }
        // All changed commands let go of their keys first, so that two can swap theirs.
        for (command, _) in &changes {
            keymap.bindings.retain(|_, bound| *bound != command.id);
        }
        for (command, keys) in changes {
            let taken = keys.iter().find_map(|key| {
                command.scopes.iter().find_map(|scope| Some((key, scope, *keymap.bindings.get(&(*scope, *key))?)))
            });
            if let Some((key, scope, other)) = taken {
                let other = COMMANDS.iter().find(|c| c.id == other).map_or("another command", |c| c.name);
                errors.push(KeymapError::Taken { key: *key, other, place: scope.title().to_lowercase() });
                let own: Vec<Key> = command.keys.iter().filter_map(|key| key.parse().ok()).collect();
                keymap.bind(command.id, command.scopes, &own);
            } else {
                keymap.bind(command.id, command.scopes, &keys);
            }
        }
        (keymap, errors)
    }

    fn bind(&mut self, id: CommandId, scopes: &[Scope], keys: &[Key]) {
        for scope in scopes {
            for key in keys {
                self.bindings.entry((*scope, *key)).or_insert(id);
            }
            if let Some(first) = keys.first() {
                self.shown.insert((*scope, id), *first);
            }
        }
    }

    /// The command of a key in the innermost of these scopes that has one.
    pub fn resolve(&self, scopes: &[Scope], key: Key) -> Option<CommandId> {
        scopes.iter().find_map(|scope| self.bindings.get(&(*scope, key)).copied())
    }

    /// The key to show for a command.
    pub fn key(&self, scope: Scope, id: CommandId) -> Option<Key> {
        self.shown.get(&(scope, id)).copied()
    }

    /// All keys of a command in a scope, the one to show first.
    pub fn keys(&self, scope: Scope, id: CommandId) -> Vec<Key> {
        let first = self.key(scope, id);
        let others = self.bindings.iter().filter(|((s, _), c)| *s == scope && **c == id).map(|((_, key), _)| *key);
        first.into_iter().chain(others.filter(|key| Some(*key) != first)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_scope_has_a_key_twice_and_every_default_key_parses() {
        let mut seen: BTreeMap<(Scope, Key), &str> = BTreeMap::new();
        for command in COMMANDS {
            for scope in command.scopes {
                for text in command.keys {
                    let key: Key = text.parse().unwrap_or_else(|e| panic!("{}: {e}", command.name));
                    if let Some(other) = seen.insert((*scope, key), command.name) {
                        panic!("{key} does both {other} and {} ({})", command.name, scope.title());
                    }
                }
            }
        }
    }

    #[test]
    fn a_screens_own_keys_do_not_hide_those_of_every_screen() {
        for command in COMMANDS {
            let own = command.scopes.iter().any(|s| matches!(s, Scope::On(_)));
            for key in command.keys.iter().filter(|_| own) {
                let hidden = COMMANDS.iter().find(|c| c.scopes.contains(&Scope::Main) && c.keys.contains(key));
                assert!(hidden.is_none(), "{key} of {} hides {}", command.name, hidden.map_or("", |c| c.name));
            }
        }
    }

    fn patch(changes: &[(&str, &[&str])]) -> (Keymap, Vec<KeymapError>) {
        let changes = changes.iter().map(|(n, k)| ((*n).to_owned(), k.iter().map(|k| (*k).to_owned()).collect()));
        Keymap::patched(&changes.collect())
    }

    #[test]
    fn changes_apply_and_mistakes_are_told() {
        let (keymap, errors) = patch(&[("run", &["f5"]), ("copy", &["r"])]);
        assert_eq!(errors, []);
        assert_eq!(keymap.resolve(&[Scope::Main], "f5".parse().unwrap()), Some(CommandId::RunAgain));
        assert_eq!(keymap.resolve(&[Scope::Main], "r".parse().unwrap()), Some(CommandId::CopyValue));
        assert_eq!(keymap.resolve(&[Scope::Main], "y".parse().unwrap()), None);

        let (keymap, errors) = patch(&[("runn", &["f5"]), ("copy", &["q"]), ("help", &["nokey"]), ("quit", &[])]);
        assert!(errors[0].to_string().contains("did you mean `run`?"), "{}", errors[0]);
        assert!(errors.iter().any(|e| e.to_string().contains("`q` already does `quit`")), "{errors:?}");
        assert_eq!(errors.len(), 4);
        assert_eq!(keymap, Keymap::default());
    }
}
