//! How an expression is written: its tree, and what stands between the `&&` at its top.

use cel::IdedExpr;
use cel::parser::PrattParser;
use cel::parser::pratt_parser::{Lexer, Token, TokenKind};

use super::open_expression::masked;

/// Google takes 4,096 bytes.
const LONGEST: usize = 64 * 1024;
/// Evaluating calls itself for every level of a tree; a thread's stack has room for some more than these.
const DEEPEST: usize = 40;

/// The tree of a text without open parts.
///
/// # Errors
///
/// Where it is not of the language, or nested or chained beyond all use; what is wrong, in words of one line.
pub(super) fn parse(text: &str) -> Result<IdedExpr, String> {
    if text.len() > LONGEST {
        return Err("it is longer than 64 KiB".to_owned());
    }
    if levels(&tokens(text)?) > DEEPEST {
        return Err(format!("it is nested or chained more than {DEEPEST} deep, which trustline does not evaluate"));
    }
    PrattParser::new().enable_optional_syntax(true).parse(text).map_err(|errors| {
        let first = errors.errors.first().map_or_else(|| errors.to_string(), |error| error.msg.clone());
        first.lines().next().unwrap_or_default().to_owned()
    })
}

/// What stands between the `&&` at the top of a text, without parentheses around all of it; nothing where `||` or `?`
/// stands there too, which bind less, or no `&&` does.
pub(super) fn conjuncts(text: &str) -> Vec<&str> {
    use TokenKind::{TokLogicalAnd, TokLogicalOr, TokQuestion};
    let Ok(tokens) = tokens(&masked(text)) else { return Vec::new() };
    let depths = depths(&tokens);
    let at_top = |kind: TokenKind| tokens.iter().zip(&depths).any(|(token, depth)| *depth == 0 && token.kind == kind);
    if !at_top(TokLogicalAnd) || at_top(TokLogicalOr) || at_top(TokQuestion) {
        return Vec::new();
    }
    let placed: Vec<(&Token, usize)> = tokens.iter().zip(depths).collect();
    let parts = placed.split(|(token, depth)| *depth == 0 && token.kind == TokLogicalAnd);
    parts.filter_map(|part| written(text, part)).collect()
}

/// What a part is written as, without one pair of parentheses around all of it.
fn written<'t>(text: &'t str, part: &[(&Token, usize)]) -> Option<&'t str> {
    let inner = match part {
        [(open, 0), inner @ .., (close, 0)]
            if open.kind == TokenKind::TokLeftParen
                && close.kind == TokenKind::TokRightParen
                && inner.iter().all(|(_, depth)| *depth > 0) =>
        {
            inner
        }
        _ => part,
    };
    text.get(inner.first()?.0.start..inner.last()?.0.end)
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let (mut lexer, mut tokens) = (Lexer::new(text), Vec::new());
    loop {
        let token = lexer.lex();
        match token.kind {
            TokenKind::TokEnd => return Ok(tokens),
            TokenKind::TokError => {
                return Err(lexer.get_error().map_or("it cannot be read", |error| &error.message).to_owned());
            }
            TokenKind::TokWhitespace | TokenKind::TokComment => {}
            _ => tokens.push(token),
        }
    }
}

fn is_open(token: &Token) -> bool {
    matches!(token.kind, TokenKind::TokLeftParen | TokenKind::TokLeftBracket | TokenKind::TokLeftBrace)
}

fn is_close(token: &Token) -> bool {
    matches!(token.kind, TokenKind::TokRightParen | TokenKind::TokRightBracket | TokenKind::TokRightBrace)
}

/// How many pairs of brackets hold each, of which a bracket itself is not held by its own.
fn depths(tokens: &[Token]) -> Vec<usize> {
    let mut depth = 0_usize;
    let held = |token: &Token| {
        depth = depth.saturating_sub(usize::from(is_close(token)));
        let held = depth;
        depth += usize::from(is_open(token));
        held
    };
    tokens.iter().map(held).collect()
}

/// Between two brackets: what each token may add to the tree.
#[derive(Default)]
struct Nest {
    /// Of the operands of `&&`, `||` and `,` that are behind, the deepest.
    deepest: usize,
    operand: usize,
    conditionals: usize,
}

impl Nest {
    fn levels(&self) -> usize {
        self.deepest.max(self.operand) + self.conditionals
    }
}

/// How many levels the tree of these tokens has at most, but for the few that `&&` and `||` add, which make no chain.
fn levels(tokens: &[Token]) -> usize {
    use TokenKind::{TokComma, TokIdent, TokLogicalAnd, TokLogicalOr, TokQuestion, TokString};
    let (mut outer, mut here): (Vec<Nest>, Nest) = Default::default();
    for token in tokens {
        match token.kind {
            TokLogicalAnd | TokLogicalOr | TokComma => {
                here.deepest = here.deepest.max(here.operand);
                here.operand = 0;
            }
            TokQuestion => here.conditionals += 1,
            TokIdent | TokString => {}
            _ if is_close(token) => {
                let inner = std::mem::replace(&mut here, outer.pop().unwrap_or_default());
                here.operand += inner.levels();
            }
            _ => here.operand += 1,
        }
        if is_open(token) {
            outer.push(std::mem::take(&mut here));
        }
    }
    outer.iter().map(Nest::levels).sum::<usize>() + here.levels()
}

#[cfg(test)]
mod tests {
    use cel::Env;
    use proptest::prelude::*;

    use super::*;

    /// What a tree says, without the numbers of its nodes.
    fn told(tree: &IdedExpr) -> String {
        regex_lite::Regex::new(r"\bid: \d+,? ?").unwrap().replace_all(&format!("{:?}", tree.expr), "").into_owned()
    }

    /// What the parser says that is made from the language's grammar, and takes some hundred times as long.
    fn of_the_grammar(text: &str) -> Result<String, String> {
        Env::stdlib().parser().parse(text).map(|tree| told(&tree)).map_err(|errors| errors.to_string())
    }

    #[test]
    fn texts_mean_what_the_grammar_says() {
        for text in [
            "assertion.sub",
            r#"a.b.c == 'x' && d['e/f'] != "g" || !(h in ['i', r'\j', '''k'''])"#,
            "has(a.b) ? a.b : c.d.split(':')[1] + '::' + string(1)",
            "[a, b].exists(x, x == c) && {'k': 1, 'l': [2.5, 3u, -4, 0x1F, 1e3]}.size() > 1",
            "a && b && c && d || e || f || g",
            "a - b - c * d / e % f + -g",
            "!!a && !!!b && --c == d",
            "a < b == (c >= d)",
            "a.?b.orValue('c') == 'c' && a[?'b'].hasValue()",
            r"'\u00e9\x41\101\n' == 'é' // a comment",
            r#"a.matches(r'^repo:o/r:') && b"bytes" == b'x'"#,
            "[1, 2].map(x, x > 1, x * 2).all(y, y == 4) && a.b(c)",
        ] {
            let tree = parse(text).map(|tree| told(&tree));
            assert_eq!(tree, of_the_grammar(text), "{text}");
        }
    }

    /// Each nested or chained so often; evaluated in a thread of a test, whose stack is that of the program's threads.
    fn deep(times: usize) -> [String; 13] {
        let around = |before: &str, behind: &str| format!("{}a{}", before.repeat(times), behind.repeat(times));
        [
            around("(", ")"),
            around("[", "]"),
            around("{'k': ", "}"),
            around("f(", ")"),
            around("", ".b"),
            around("", "[0]"),
            around("", " + a"),
            around("", " in a"),
            around("", ".f()"),
            around("- ", ""),
            around("a ? a : ", ""),
            around("a && b ? c || d : e && ", ""),
            around("[a].exists(x, ", ")"),
        ]
    }

    #[test]
    fn what_is_deep_is_evaluated_or_refused_and_never_too_much_for_the_stack() {
        let claims = serde_json::Map::new();
        let scope = super::super::scope::Scope::of_claims(&claims);
        for times in [1, 5, 10, 13, 20, 40, 100, 1000, 4000] {
            for text in deep(times) {
                let parsed = parse(&text);
                assert!(parsed.is_err() || times <= DEEPEST, "{text}");
                assert!(parsed.is_ok() || times > 5, "{text}");
                let _ = parsed.map(|tree| scope.value(&tree));
            }
        }
    }

    proptest! {
        #[test]
        fn what_the_grammar_takes_means_the_same(
            parts in proptest::collection::vec(prop::sample::select(vec![
                "a", "assertion.sub", "'x'", "1", "2.5", "[a, b]", "{'k': a}", "(", ")", "[", "]", ".b", ".c()", "['d']",
                "&&", "||", "==", "!=", "<", "in", "+", "-", "*", "!", "?", ":", "has(a.b)", ".exists(x, x == a)",
                "true", "null",
            ]), 1..12),
        ) {
            let text = parts.join(" ");
            if let Ok(tree) = of_the_grammar(&text) {
                prop_assert_eq!(parse(&text).map(|tree| told(&tree)), Ok(tree), "{}", text);
            }
        }
    }
}
