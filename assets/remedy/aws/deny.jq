# Which statements deny the action on the resource, and what is left of them when this one resource is taken out.
def list: if type == "array" then . else [.] end;
def like($text): . as $pattern
  | ($pattern | gsub("(?<c>[.+^$(){}|\\[\\]\\\\])"; "\\\(.c)") | gsub("\\*"; ".*") | gsub("\\?"; ".")) as $regex
  | $text | test("^" + $regex + "$"; "i");
def denies: .Effect == "Deny" and has("Action") and any(.Action | list | .[]; like($action))
  and has("Resource") and any(.Resource | list | .[]; like($resource));
def narrowed: if denies | not then .
  elif (.Resource | list | length) == 1 and (.Resource | list | .[0]) == "*"
  then del(.Resource) + {NotResource: [$resource]}
  else . end;
def widened: if .Effect == "Deny" and .NotResource == [$resource] then del(.NotResource) + {Resource: "*"} else . end;
def statements(f): .Statement |= (if type == "array" then map(f) else f end);
