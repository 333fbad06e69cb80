//! A page of Markdown as text for a terminal or a pipe.

mod table;
#[cfg(test)]
mod tests;
mod wrap;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use unicode_width::UnicodeWidthStr as _;

use table::Table;
use wrap::{Style, StyledSpan, wrap};

/// How far code blocks stand in.
const CODE_INDENT: &str = "    ";

/// The page in lines of at most so many columns; code blocks are never broken. Escape codes only if `styled`.
#[must_use]
pub fn render(page: &str, columns: usize, styled: bool) -> String {
    let mut renderer = Renderer { columns, styled, ..Renderer::default() };
    for event in Parser::new_ext(page, Options::ENABLE_TABLES) {
        renderer.take(event);
    }
    renderer.output
}

#[derive(Default)]
struct Renderer {
    columns: usize,
    styled: bool,
    output: String,
    /// What was read of the block that is open.
    spans: Vec<StyledSpan>,
    style: Style,
    in_code_block: bool,
    in_item: bool,
    /// Of the next item, if the list that is open has numbers.
    number: Option<u64>,
    table: Option<Table>,
    /// Where the link goes that is open.
    target: String,
}

impl Renderer {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.in_code_block => {
                for line in text.lines() {
                    self.line(format!("{CODE_INDENT}{line}").trim_end());
                }
            }
            Event::Text(text) => self.push(&text, self.style),
            Event::Code(text) if self.styled => self.push(&text, Style::Code),
            Event::Code(text) => self.push(&format!("`{text}`"), Style::Code),
            Event::SoftBreak | Event::HardBreak => self.push(" ", Style::Plain),
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph | Tag::Heading { .. } => self.blank_line(),
            Tag::List(number) => {
                self.blank_line();
                self.number = number;
            }
            Tag::CodeBlock(_) => {
                self.blank_line();
                self.in_code_block = true;
            }
            Tag::Item => self.in_item = true,
            Tag::Table(_) => {
                self.blank_line();
                self.table = Some(Table::default());
            }
            Tag::TableHead | Tag::TableRow => {
                if let Some(table) = &mut self.table {
                    table.begin_row();
                }
                self.style = if matches!(tag, Tag::TableHead) { Style::Strong } else { Style::Plain };
            }
            Tag::Strong => self.style = Style::Strong,
            Tag::Link { dest_url, .. } => self.target = dest_url.into_string(),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::Item => self.flush(),
            TagEnd::Heading(level) => self.heading(level),
            TagEnd::CodeBlock => self.in_code_block = false,
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.spans);
                if let Some(table) = &mut self.table {
                    table.push_cell(cell);
                }
            }
            TagEnd::TableHead | TagEnd::Strong => self.style = Style::Plain,
            TagEnd::Table => {
                let table = self.table.take().unwrap_or_default();
                for line in table.lines(self.columns, self.styled) {
                    self.line(&line);
                }
            }
            TagEnd::Link => {
                if let Some(way) = way_to(&self.target) {
                    self.push(&way, Style::Plain);
                }
            }
            _ => {}
        }
    }

    fn push(&mut self, text: &str, style: Style) {
        self.spans.push(StyledSpan { text: text.to_owned(), style });
    }

    fn line(&mut self, line: &str) {
        self.output.push_str(line);
        self.output.push('\n');
    }

    /// Between blocks, but not before the first one.
    fn blank_line(&mut self) {
        if !self.output.is_empty() && !self.in_item {
            self.output.push('\n');
        }
    }

    /// Without styles a line below tells a heading from text.
    fn heading(&mut self, level: HeadingLevel) {
        for span in &mut self.spans {
            span.style = Style::Strong;
        }
        let width: usize = self.spans.iter().map(|span| span.text.width()).sum();
        self.flush();
        if !self.styled {
            let rule = if level == HeadingLevel::H1 { "=" } else { "-" };
            self.line(&rule.repeat(width.min(self.columns)));
        }
    }

    /// Ends a paragraph, a heading or an item of a list.
    fn flush(&mut self) {
        let spans = std::mem::take(&mut self.spans);
        let first = match self.number {
            _ if !self.in_item => String::new(),
            Some(number) => format!("{number}. "),
            None => "- ".to_owned(),
        };
        self.number = self.number.map(|number| number + u64::from(self.in_item));
        self.in_item = false;
        if spans.is_empty() {
            return;
        }
        let rest = " ".repeat(first.len());
        for (index, line) in wrap(&spans, self.columns.saturating_sub(first.len())).into_iter().enumerate() {
            let indent = if index == 0 { &first } else { &rest };
            self.line(&format!("{indent}{}", line.text(self.styled)));
        }
    }
}

/// What to type, or to open, to get to the target of a link; [`None`] for a place on the same page.
fn way_to(target: &str) -> Option<String> {
    let (path, _) = target.split_once('#').unwrap_or((target, ""));
    match (path.strip_suffix(".md"), path.strip_prefix("../")) {
        (Some(topic), None) if !topic.contains('/') => Some(format!(" (d2mtop manual {topic})")),
        (_, Some(file)) => Some(format!(" ({file})")),
        _ if target.contains("://") => Some(format!(" ({target})")),
        _ => None,
    }
}
