# Where the key's policy was not it, the copy of the permissions at hand is not what is in force.
[ -z "$key_changed" ] || exit 0
