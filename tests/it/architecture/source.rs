//! A source file without what the compiler does not see: comments and the contents of literals.

/// One source file.
pub struct Source {
    /// Relative to the package.
    pub path: String,
    /// How many lines it has.
    pub line_count: usize,
    /// The same without what is for tests only.
    pub shipped_line_count: usize,
    /// All code; every byte of comments and literals is a space, line ends stay.
    code: String,
    /// The code that is not for tests only, blanked out in the same way.
    shipped: String,
    /// Modules declared in other files for tests only.
    test_modules: Vec<String>,
}

const TEST_ONLY: &str = "#[cfg(test)]";

impl Source {
    pub fn new(path: String, text: &str) -> Self {
        let code = without_comments_and_literals(text);
        let TestItems { shipped, modules: test_modules, lines } = TestItems::blanked(&code);
        let line_count = text.lines().count();
        Self { path, line_count, shipped_line_count: line_count.saturating_sub(lines), code, shipped, test_modules }
    }

    /// The whole file is for tests only.
    pub fn mark_as_test(&mut self) {
        self.shipped.clear();
        self.shipped_line_count = 0;
    }

    /// Whether nothing of the file is shipped.
    pub fn is_test(&self) -> bool {
        self.shipped.trim().is_empty()
    }

    /// The module's path below the crate; empty for the crate itself.
    pub fn module(&self) -> Vec<String> {
        let path = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        let path = path.trim_end_matches("/mod");
        let parts = path.split('/').filter(|part| *part != "lib");
        parts.map(str::to_owned).collect()
    }

    /// The room: the first part of the path.
    pub fn room(&self) -> &str {
        let path = self.path.trim_start_matches("src/");
        path.split('/').next().unwrap().trim_end_matches(".rs")
    }

    /// The modules that this file declares for tests only.
    pub fn test_modules(&self) -> Vec<Vec<String>> {
        let nested = |name: &String| [self.module(), vec![name.clone()]].concat();
        self.test_modules.iter().map(nested).collect()
    }

    /// Lines and rooms of everything that this file names of its crate, tests included.
    pub fn crate_imports(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for root in ["crate::", "d2mtop::"] {
            for at in words(&self.code, root) {
                let rest = &self.code[at + root.len()..];
                found.extend(first_names(rest).into_iter().map(|name| (self.line(at), name)));
            }
        }
        // As many `super`s as the module is deep lead to the crate itself. In an inline module the same number leads
        // one module less far, so nothing there is taken for what it is not.
        let to_crate = "super::".repeat(self.module().len().max(1));
        for at in words(&self.shipped, &to_crate) {
            let preceded = self.shipped[..at].ends_with("super::");
            let rest = &self.shipped[at + to_crate.len()..];
            if !preceded && !self.module().is_empty() && !rest.starts_with("super") {
                found.extend(first_names(rest).into_iter().map(|name| (self.line(at), name)));
            }
        }
        found.retain(|(_, name)| !name.is_empty());
        found
    }

    /// Lines that name a path or macro, outside of tests. A path is also found in a list behind its first part.
    pub fn lines_naming<'a>(&'a self, name: &'a str) -> impl Iterator<Item = usize> + 'a {
        let listed = name.split_once("::").into_iter().flat_map(move |(root, last)| {
            let root = format!("{root}::");
            let ats = words(&self.shipped, &root);
            ats.into_iter().filter(move |at| {
                let rest = &self.shipped[at + root.len()..];
                rest.starts_with('{') && first_names(rest).iter().any(|name| name == last)
            })
        });
        words(&self.shipped, name).into_iter().chain(listed).map(|at| self.line(at))
    }

    /// Lines that name a function other than to define it, outside of tests.
    pub fn calls_of<'a>(&'a self, function: &'a str) -> impl Iterator<Item = usize> + 'a {
        let is_call = |at: &usize| !self.shipped[..*at].trim_end().ends_with("fn");
        words(&self.shipped, function).into_iter().filter(is_call).map(|at| self.line(at))
    }

    /// The lines of the code that is shipped.
    pub fn shipped_lines(&self) -> impl Iterator<Item = &str> {
        self.shipped.lines()
    }

    /// Lines of tests that are not run.
    pub fn ignored_tests(&self) -> impl Iterator<Item = usize> + '_ {
        words(&self.code, "ignore").into_iter().filter(|at| self.code[..*at].ends_with("#[")).map(|at| self.line(at))
    }

    fn line(&self, at: usize) -> usize {
        self.code[..at].matches('\n').count() + 1
    }
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Where something stands that is not part of a longer word.
fn words(code: &str, word: &str) -> Vec<usize> {
    let bytes = code.as_bytes();
    let ends_in_word = word.bytes().last().is_some_and(is_word);
    let alone = |(at, _): &(usize, &str)| {
        let before = at.checked_sub(1).is_none_or(|before| !is_word(bytes[before]));
        let after = bytes.get(at + word.len()).is_none_or(|byte| !ends_in_word || !is_word(*byte));
        before && after
    };
    code.match_indices(word).filter(alone).map(|(at, _)| at).collect()
}

/// The first name of each path in `name::...`, or in a list of such in braces.
fn first_names(rest: &str) -> Vec<String> {
    let name = |text: &str| text.trim_start().chars().take_while(|c| is_word(*c as u8) && c.is_ascii()).collect();
    let Some(list) = rest.strip_prefix('{') else { return vec![name(rest)] };
    let mut names = Vec::new();
    let mut depth = 0;
    let mut start = 0;
    for (at, byte) in list.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b',' if depth == 0 => {
                names.push(name(&list[start..at]));
                start = at + 1;
            }
            b'}' if depth == 0 => {
                names.push(name(&list[start..at]));
                break;
            }
            b'}' => depth -= 1,
            _ => {}
        }
    }
    names
}

/// Blanks comments and the insides of string and character literals.
fn without_comments_and_literals(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let length = if rest.starts_with(b"//") {
            rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
        } else if rest.starts_with(b"/*") {
            block_comment(rest)
        } else if rest[0] == b'"' {
            string(rest)
        } else if (at == 0 || !is_word(bytes[at - 1])) && matches!(rest[0], b'r' | b'b') {
            raw_string(rest).unwrap_or(0)
        } else if rest[0] == b'\'' {
            character(rest)
        } else {
            0
        };
        for byte in &mut out[at..at + length] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at += length.max(1);
    }
    String::from_utf8(out).unwrap()
}

fn block_comment(rest: &[u8]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// From its opening quote to its closing one.
fn string(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn raw_string(rest: &[u8]) -> Option<usize> {
    let prefix = rest.iter().take_while(|byte| matches!(byte, b'r' | b'b')).count();
    let hashes = rest[prefix..].iter().take_while(|byte| **byte == b'#').count();
    let open = prefix + hashes;
    if prefix > 2 || !rest[..prefix].contains(&b'r') || rest.get(open) != Some(&b'"') {
        return None;
    }
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let body = &rest[open + 1..];
    let end = body.windows(close.len()).position(|window| window == close).unwrap_or(body.len() - close.len());
    Some(open + 1 + end + close.len())
}

/// A character literal; nothing for a lifetime.
fn character(rest: &[u8]) -> usize {
    if rest.get(1) == Some(&b'\\') {
        return rest.iter().skip(3).position(|byte| *byte == b'\'').map_or(1, |end| end + 4);
    }
    // A character takes up to four bytes.
    (2..=5)
        .find(|end| rest.get(*end) == Some(&b'\''))
        .filter(|end| *end == 2 || rest[1] >= 0x80)
        .map_or(0, |end| end + 1)
}

/// What of a file is for tests only.
struct TestItems {
    /// The code with such items blanked.
    shipped: String,
    /// Such modules that are in other files.
    modules: Vec<String>,
    /// How many lines such items have.
    lines: usize,
}

impl TestItems {
    fn blanked(code: &str) -> Self {
        let mut out = code.as_bytes().to_vec();
        let (mut modules, mut lines, mut blanked_to) = (Vec::new(), 0, 0);
        for (start, _) in code.match_indices(TEST_ONLY) {
            let item = &code[start + TEST_ONLY.len()..];
            let end = item_end(item);
            if let Some(declared) = item[..end].trim().strip_suffix(';').and_then(|item| item.rsplit_once("mod ")) {
                modules.push(declared.1.trim().to_owned());
            }
            let blank = start..start + TEST_ONLY.len() + end;
            if blank.start >= blanked_to {
                lines += code[blank.clone()].matches('\n').count() + 1;
                blanked_to = blank.end;
            }
            for byte in &mut out[blank] {
                if *byte != b'\n' {
                    *byte = b' ';
                }
            }
        }
        Self { shipped: String::from_utf8(out).unwrap(), modules, lines }
    }
}

/// Where the item ends: at its semicolon, or with the braces of its body.
fn item_end(item: &str) -> usize {
    let mut depth = 0_i32;
    for (at, byte) in item.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' => depth -= 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            b';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    item.len()
}
