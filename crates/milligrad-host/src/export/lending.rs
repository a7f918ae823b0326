//! Memory that networks share, and the linker's sections, as source.

use super::Sections;
use crate::error::{Error, Result};
use crate::program::Program;
use std::fmt::Write as _;

/// Words of the network's memory.
fn words(program: &Program) -> usize {
    program.plan.int8.div_ceil(4) + program.plan.f32
}

/// Before the struct of a network that can be lent its memory.
pub(super) fn open(text: &mut String) {
    text.push_str("lendable! {\n");
}

/// After it.
pub(super) fn close(program: &Program, text: &mut String) {
    let words = words(program);
    let _ = writeln!(
        text,
        "}}\n\n/// Words of four bytes that the network needs of an arena.\npub const ARENA_WORDS: usize = {words};"
    );
}

/// `Network::within`
pub(super) fn within(text: &mut String) {
    text.push_str(
        "    /// The network in memory that others use too, each in its turn: an arena of at least [`ARENA_WORDS`] words.
    #[inline]
    pub const fn within<const WORDS: usize>(arena: &mut arena::Arena<WORDS>) -> &mut Self {
        arena.lend()
    }

",
    );
}

/// Refuses what can't be placed.
pub(super) fn check(program: &Program, sections: &Sections) -> Result<()> {
    let error = |problem: String| Err(Error::Model { model: program.name.clone(), problem });
    for name in [&sections.weights, &sections.arena].into_iter().flatten() {
        let sound = |c: char| c.is_ascii_alphanumeric() || "._-$,".contains(c);
        if name.is_empty() || !name.chars().all(sound) {
            return error(format!(
                "{name:?} is no name of a section: use letters, digits, `.`, `_`, `-`, `$` and `,`"
            ));
        }
    }
    if sections.arena.is_some() && program.learning.is_some() {
        return error(
            "it learns, and so owns its memory: put the `static` that holds its `Network` into a section, and export \
             without one for the arena"
                .into(),
        );
    }
    Ok(())
}

/// Puts constants and the arena into sections.
pub(super) fn place(program: &Program, sections: &Sections, body: &mut String) {
    if let Some(section) = &sections.weights {
        let mut placed = String::with_capacity(body.len());
        for line in body.split_inclusive('\n') {
            if line.starts_with("static ") {
                let _ = writeln!(placed, "#[unsafe(link_section = {section:?})]");
            }
            placed.push_str(line);
        }
        *body = placed;
    }
    if let Some(section) = &sections.arena {
        let words = words(program);
        let _ = writeln!(
            body,
            "\n/// The network's memory in section `{section}`: `Network::within(ARENA.take()?)`.
#[unsafe(link_section = {section:?})]
pub static ARENA: arena::Reserved<{words}> = arena::Reserved::new();"
        );
    }
}
