//! The modules of a crate, and what a path in one of them leads to.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use syn::{Item, UseTree, Visibility};

/// Where an item is defined: its module, and its name.
pub type Place = (String, String);

#[derive(Default)]
pub struct Module {
    pub items: Vec<Item>,
    /// What `use` brings into it: whether for others, too; under which name; from which path.
    pub uses: Vec<(bool, String, String)>,
}

/// All modules by their paths below the crate, such as `protocol::keys`; without what is for tests only, or hidden.
pub struct Crate(pub BTreeMap<String, Module>);

impl Crate {
    /// Reads these rooms.
    pub fn read(directory: &Path, rooms: &[&str]) -> Self {
        let mut modules = Self(BTreeMap::new());
        for room in rooms {
            modules.read_file(directory, room);
        }
        modules
    }

    pub fn parse(sources: &[(&str, &str)]) -> Self {
        let mut modules = Self(BTreeMap::new());
        for (path, text) in sources {
            modules.add(path, syn::parse_file(text).unwrap().items);
        }
        modules
    }

    fn read_file(&mut self, directory: &Path, module: &str) {
        let file = directory.join(module.replace("::", "/"));
        let file = [file.with_extension("rs"), file.join("mod.rs")].into_iter().find(|file| file.exists());
        let text = fs::read_to_string(file.unwrap_or_else(|| panic!("{module} has a file"))).unwrap();
        for other in self.add(module, syn::parse_file(&text).unwrap().items) {
            self.read_file(directory, &other);
        }
    }

    /// Takes a module in; returns the modules that are in files of their own.
    fn add(&mut self, path: &str, items: Vec<Item>) -> Vec<String> {
        let mut module = Module::default();
        let mut elsewhere = Vec::new();
        for item in items.into_iter().filter(|item| !is_left_out(attributes(item))) {
            match &item {
                Item::Mod(inner) => {
                    let inner_path = format!("{path}::{}", inner.ident);
                    match &inner.content {
                        Some((_, items)) => elsewhere.extend(self.add(&inner_path, items.clone())),
                        None => elsewhere.push(inner_path),
                    }
                }
                Item::Use(import) => {
                    leaves(&import.tree, "", &mut |name, from| {
                        module.uses.push((is_public(&import.vis), name.to_owned(), from.to_owned()));
                    });
                }
                _ => {}
            }
            module.items.push(item);
        }
        self.0.insert(path.to_owned(), module);
        elsewhere
    }

    /// Where that is defined which a path in this module names, if that is in one of the modules.
    pub fn definition(&self, module: &str, path: &str) -> Option<Place> {
        let (first, rest) = path.split_once("::").map_or((path, None), |(first, rest)| (first, Some(rest)));
        let known = self.0.get(module)?;
        let Some(rest) = rest else {
            if known.items.iter().any(|item| name(item).is_some_and(|name| name == first)) {
                return Some((module.to_owned(), first.to_owned()));
            }
            let (.., from) = known.uses.iter().find(|(_, name, _)| name == first)?;
            return (from != path).then(|| self.definition(module, from)).flatten();
        };
        match first {
            "self" => self.definition(module, rest),
            "super" => self.definition(module.rsplit_once("::")?.0, rest),
            "crate" => {
                let (room, rest) = rest.split_once("::")?;
                self.definition(room, rest)
            }
            _ if self.0.contains_key(&format!("{module}::{first}")) => {
                self.definition(&format!("{module}::{first}"), rest)
            }
            _ => {
                let (.., from) = known.uses.iter().find(|(_, name, _)| name == first)?;
                // A module of a room, or the room itself.
                let from = self.module(module, from)?;
                self.definition(&from, rest)
            }
        }
    }

    pub fn item(&self, (module, wanted): &Place) -> Option<&Item> {
        self.0.get(module)?.items.iter().find(|item| name(item).is_some_and(|name| name == *wanted))
    }

    /// Whether users can name the module.
    pub fn is_open(&self, module: &str) -> bool {
        let Some((parent, last)) = module.rsplit_once("::") else { return true };
        let is_last = |item: &Item| matches!(item, Item::Mod(inner) if inner.ident == last && is_public(&inner.vis));
        self.0.get(parent).is_some_and(|parent| parent.items.iter().any(is_last)) && self.is_open(parent)
    }

    fn module(&self, at: &str, path: &str) -> Option<String> {
        let mut found = at.to_owned();
        for part in path.split("::") {
            found = match part {
                "self" => found,
                "super" => found.rsplit_once("::")?.0.to_owned(),
                "crate" => String::new(),
                part if found.is_empty() => part.to_owned(),
                part => format!("{found}::{part}"),
            };
        }
        self.0.contains_key(&found).then_some(found)
    }
}

/// Calls `take` with name and path of each thing that a `use` brings.
fn leaves(tree: &UseTree, before: &str, take: &mut impl FnMut(&str, &str)) {
    let path = |name: &dyn std::fmt::Display| format!("{before}{name}");
    match tree {
        UseTree::Path(part) => leaves(&part.tree, &format!("{before}{}::", part.ident), take),
        UseTree::Name(leaf) if leaf.ident == "self" => {
            let module = before.trim_end_matches("::");
            take(module.rsplit("::").next().unwrap(), module);
        }
        UseTree::Name(leaf) => take(&leaf.ident.to_string(), &path(&leaf.ident)),
        UseTree::Rename(leaf) => take(&leaf.rename.to_string(), &path(&leaf.ident)),
        UseTree::Glob(_) => take("*", &path(&"*")),
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, before, take)),
    }
}

pub const fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// What is for tests only, or not shown to users.
pub fn is_left_out(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let text = super::words::joined(attribute);
        matches!(text.as_str(), "#[cfg(test)]" | "#[test]" | "#[doc(hidden)]")
    })
}

pub fn name(item: &Item) -> Option<String> {
    Some(match item {
        Item::Const(item) => item.ident.to_string(),
        Item::Enum(item) => item.ident.to_string(),
        Item::Fn(item) => item.sig.ident.to_string(),
        Item::Static(item) => item.ident.to_string(),
        Item::Struct(item) => item.ident.to_string(),
        Item::Trait(item) => item.ident.to_string(),
        Item::Type(item) => item.ident.to_string(),
        _ => return None,
    })
}

pub fn attributes(item: &Item) -> &[syn::Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
