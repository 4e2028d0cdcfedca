//! What does the checker mean by a code? Its page, out of `docs/codes.md`, which is where it is
//! written. Not here: what makes a problem of a file (`wayfare-journey`).

use wayfare_journey::diagnostic::{Code, nearest};

/// A page for each code, each under a heading of its own.
const PAGES: &str = include_str!("../../../docs/codes.md");

/// The code of this name, in whatever case.
///
/// # Errors
///
/// The nearest code, if one is near.
pub(crate) fn find(typed: &str) -> Result<Code, Option<&'static str>> {
    let typed = typed.to_ascii_uppercase();
    let mut all = Code::ALL.iter().copied();
    all.find(|code| code.as_str() == typed)
        .ok_or_else(|| nearest(&typed, Code::ALL.iter().map(|code| code.as_str())))
}

/// The page of a code, in Markdown, from its heading to the next.
pub(crate) fn page(code: Code) -> &'static str {
    let mut pages = PAGES.split("\n## ");
    let page = pages.find(|page| page.starts_with(code.as_str()));
    page.map_or_else(|| code.meaning(), str::trim_end)
}

/// A page for a terminal: what is fenced is indented.
pub(crate) fn plain(page: &str) -> String {
    let mut is_fenced = false;
    let mut lines = Vec::new();
    for line in page.lines() {
        if line.starts_with("```") {
            is_fenced = !is_fenced;
        } else if is_fenced && !line.is_empty() {
            lines.push(format!("    {line}"));
        } else {
            lines.push(line.to_owned());
        }
    }
    lines.join("\n")
}
