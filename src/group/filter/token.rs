//! Splits the text of a filter into tokens.

use super::comparison::Comparison;
use super::condition::BARE;

/// A word, a phrase, or a key with values.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) at: usize,
    pub(super) negated: bool,
    pub(super) quoted: bool,
    pub(super) key: Option<(String, Comparison)>,
    /// With the byte at which each begins.
    pub(super) values: Vec<(usize, String)>,
    pub(super) end: usize,
}

/// Splits at white space outside of quotes. A quote that does not end, ends with the text: it is still being typed.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text.char_indices().peekable();
    while let Some((at, first)) = rest.next_if(|_| true) {
        if first.is_whitespace() {
            continue;
        }
        let mut token = Token { at, negated: false, quoted: false, key: None, values: Vec::new(), end: text.len() };
        let (mut value, mut value_at, mut within, mut signs) = (String::new(), at, false, true);
        let mut next = Some((at, first));
        while let Some((here, character)) = next {
            let after = here + character.len_utf8();
            let begins_key = token.key.is_none() && !token.quoted && is_key(&value);
            match character {
                '"' => {
                    within = !within;
                    token.quoted = true;
                }
                _ if within => value.push(character),
                '-' | '!' if signs => token.negated = !token.negated,
                ',' if token.key.is_some() => {
                    token.values.push((value_at, std::mem::take(&mut value)));
                    value_at = after;
                }
                ':' | '=' | '<' | '>' if begins_key => {
                    let or_equal = matches!(character, '<' | '>') && rest.next_if(|(_, next)| *next == '=').is_some();
                    token.key = Some((std::mem::take(&mut value), comparison(character, or_equal)));
                    value_at = after + usize::from(or_equal);
                }
                _ => value.push(character),
            }
            signs = signs && matches!(character, '-' | '!') && !within;
            next = rest.next_if(|(_, next)| within || !next.is_whitespace());
            token.end = next.map_or_else(|| rest.peek().map_or(text.len(), |(end, _)| *end), |(here, _)| here);
        }
        token.values.push((value_at, value));
        tokens.push(token);
    }
    tokens
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

const fn comparison(sign: char, or_equal: bool) -> Comparison {
    match (sign, or_equal) {
        ('<', false) => Comparison::Less,
        ('<', true) => Comparison::AtMost,
        ('>', false) => Comparison::More,
        ('>', true) => Comparison::AtLeast,
        _ => Comparison::Equal,
    }
}

/// Whether a word needs no quotes.
pub(super) fn is_bare(word: &str) -> bool {
    let is_plain = |character: char| !character.is_whitespace() && !matches!(character, ':' | '=' | '<' | '>' | '"');
    !word.is_empty()
        && !word.starts_with(['-', '!'])
        && word.chars().all(is_plain)
        && BARE.iter().all(|(bare, _)| *bare != word)
}
