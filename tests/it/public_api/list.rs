//! What users can name of a crate, one line each.

use std::collections::{BTreeMap, BTreeSet};

use syn::{ImplItem, Item, ItemImpl, TraitItem, Type, Variant};

use super::sources::{Crate, Place, attributes, is_left_out, is_public, name};
use super::words::joined;

/// Everything public in these rooms, sorted.
pub fn public_items(sources: &Crate, rooms: &[&str]) -> Vec<String> {
    let mut list = List { sources, lines: BTreeSet::new(), shown: BTreeMap::new() };
    for room in rooms {
        list.module(room);
    }
    for (path, module) in &sources.0 {
        for item in &module.items {
            match item {
                Item::Impl(item) => list.implementation(path, item),
                // What a macro makes belongs to the types that it names.
                Item::Macro(item) if item.ident.is_none() => {
                    let words = joined(&item.mac);
                    for named in words.split(|c: char| !c.is_alphanumeric() && c != '_') {
                        if let Some(shown) = list.shown(path, named) {
                            list.lines.insert(format!("{shown}: {words}"));
                        }
                    }
                }
                _ => {}
            }
        }
    }
    list.lines.into_iter().collect()
}

struct List<'a> {
    sources: &'a Crate,
    lines: BTreeSet<String>,
    /// How users name what is defined where.
    shown: BTreeMap<Place, String>,
}

impl List<'_> {
    fn put(&mut self, shown: &str, what: &str) {
        self.lines.insert(format!("{shown}: {what}"));
    }

    /// A module that users can name.
    fn module(&mut self, path: &str) {
        let sources = self.sources;
        let Some(module) = sources.0.get(path) else { return };
        for item in &module.items {
            match item {
                Item::Mod(inner) if is_public(&inner.vis) => {
                    let inner_path = format!("{path}::{}", inner.ident);
                    self.put(&inner_path, &format!("pub mod {}", inner.ident));
                    self.module(&inner_path);
                }
                item => {
                    if let Some(name) = name(item) {
                        self.item(&format!("{path}::{name}"), (path.to_owned(), name), item);
                    }
                }
            }
        }
        for (_, name, from) in module.uses.iter().filter(|(public, ..)| *public) {
            let shown = format!("{path}::{name}");
            // What users can name otherwise is listed there.
            let hidden = |place: &Place| !sources.is_open(&place.0) && !self.shown.contains_key(place);
            let place = sources.definition(path, from).filter(hidden);
            match place.and_then(|place| Some((sources.item(&place)?, place))) {
                Some((item, place)) => self.item(&shown, place, item),
                None => self.put(&shown, &format!("pub use {from}")),
            }
        }
    }

    /// An item that users can name, if it is public.
    fn item(&mut self, shown: &str, place: Place, item: &Item) {
        let header = match item {
            Item::Const(item) if is_public(&item.vis) => format!("pub const {}: {}", item.ident, joined(&item.ty)),
            Item::Static(item) if is_public(&item.vis) => format!("pub static {}: {}", item.ident, joined(&item.ty)),
            Item::Fn(item) if is_public(&item.vis) => format!("pub {}", joined(&item.sig)),
            Item::Type(item) if is_public(&item.vis) => {
                format!("pub type {}{} = {}", item.ident, joined(&item.generics), joined(&item.ty))
            }
            Item::Enum(item) if is_public(&item.vis) => {
                for variant in item.variants.iter().filter(|variant| !is_left_out(&variant.attrs)) {
                    self.lines.insert(format!("{shown}::{}", joined(&without_attributes(variant))));
                }
                format!("pub enum {}{}", item.ident, joined(&item.generics))
            }
            Item::Struct(item) if is_public(&item.vis) => {
                let (public, private): (Vec<_>, Vec<_>) =
                    item.fields.iter().enumerate().partition(|(_, field)| is_public(&field.vis));
                for (number, field) in public {
                    let name = field.ident.as_ref().map_or_else(|| number.to_string(), ToString::to_string);
                    self.lines.insert(format!("{shown}.{name}: {}", joined(&field.ty)));
                }
                // Who can name all fields can make one, and take one apart.
                let rest = if private.is_empty() { "" } else { ", and private fields" };
                format!("pub struct {}{}{rest}", item.ident, joined(&item.generics))
            }
            Item::Trait(item) if is_public(&item.vis) => {
                for item in &item.items {
                    let what = match item {
                        TraitItem::Fn(item) if item.default.is_some() => format!("{} (provided)", joined(&item.sig)),
                        TraitItem::Fn(item) => joined(&item.sig),
                        TraitItem::Const(item) => format!("const {}: {}", item.ident, joined(&item.ty)),
                        TraitItem::Type(item) => format!("type {}", item.ident),
                        _ => continue,
                    };
                    self.put(shown, &what);
                }
                let colon = if item.supertraits.is_empty() { "" } else { ": " };
                format!("pub trait {}{}{colon}{}", item.ident, joined(&item.generics), joined(&item.supertraits))
            }
            _ => return,
        };
        self.put(shown, &header);
        for attribute in attributes(item) {
            if attribute.path().is_ident("derive") || attribute.path().is_ident("non_exhaustive") {
                self.put(shown, &joined(attribute));
            }
        }
        self.shown.insert(place, shown.to_owned());
    }

    /// How users name what this module names so, if they can.
    fn shown(&self, module: &str, path: &str) -> Option<String> {
        self.shown.get(&self.sources.definition(module, path)?).cloned()
    }

    fn implementation(&mut self, module: &str, item: &ItemImpl) {
        let mut of = &*item.self_ty;
        while let Type::Reference(reference) = of {
            of = &reference.elem;
        }
        let Type::Path(of) = of else { return };
        let of: Vec<String> = of.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let Some(shown) = self.shown(module, &of.join("::")) else { return };
        let header = joined(&ItemImpl { attrs: Vec::new(), items: Vec::new(), ..item.clone() });
        let header = header.trim_end_matches('}').trim_end().trim_end_matches('{').trim_end();
        if item.trait_.is_some() {
            return self.put(&shown, header);
        }
        // Nobody asks which it is if there is but one.
        let within = if item.generics.params.is_empty() { String::new() } else { format!("{header}: ") };
        for item in &item.items {
            match item {
                ImplItem::Fn(item) if is_public(&item.vis) && !is_left_out(&item.attrs) => {
                    self.put(&format!("{shown}::{}", item.sig.ident), &format!("{within}pub {}", joined(&item.sig)));
                }
                ImplItem::Const(item) if is_public(&item.vis) => {
                    let what = format!("{within}pub const {}: {}", item.ident, joined(&item.ty));
                    self.put(&format!("{shown}::{}", item.ident), &what);
                }
                _ => {}
            }
        }
    }
}

fn without_attributes(variant: &Variant) -> Variant {
    let mut variant = variant.clone();
    variant.attrs.clear();
    variant.fields.iter_mut().for_each(|field| field.attrs.clear());
    variant
}
