if [ -n "${VALUE_FILE:-}" ]; then
  value=$(cat "$VALUE_FILE")
else
  { terminal=$(stty -g </dev/tty); } 2>/dev/null || stop 'There is no terminal to ask for the value; put it into a private file and set VALUE_FILE to its name.'
  trap 'stty "$terminal" </dev/tty; rm -rf "$work"' EXIT
  printf 'The value, one line, which is not shown: ' >/dev/tty
  stty -echo </dev/tty
  IFS= read -r value </dev/tty || :
  stty "$terminal" </dev/tty
  printf '\n' >/dev/tty
fi
[ -n "$value" ] || stop 'The value is empty. Nothing was written.'
(umask 077; printf %s "$value" >"$work/value")
