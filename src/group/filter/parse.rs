//! Reads filters.

use super::comparison::Comparison;
use super::condition::{BARE, RowCondition, RowMark};
use super::error::{FilterError, Problem};
use super::key::FilterKey;
use super::kinds::Kinds;
use super::time_expression::TimeExpression;
use super::token::{Token, tokens};
use super::{Filter, Term};
use crate::text::Clean;
use crate::text::units::{size, span};

pub(super) fn parse(text: &str) -> Result<Filter, FilterError> {
    let terms = tokens(text).into_iter().filter_map(|token| term(token).transpose());
    Ok(Filter { terms: terms.collect::<Result<_, _>>()? })
}

/// An error for what can only be a part of something.
pub(super) fn finished(text: &str) -> Result<(), FilterError> {
    let quotes: Vec<usize> = text.match_indices('"').map(|(at, _)| at).collect();
    if let (Some(at), true) = (quotes.last(), quotes.len() % 2 == 1) {
        return Err(FilterError { at: *at, problem: Problem::OpenQuote });
    }
    let is_sign =
        |token: &Token| !token.quoted && token.key.is_none() && token.values.iter().all(|(_, value)| value.is_empty());
    match tokens(text).iter().find(|token| is_sign(token)) {
        Some(sign) => Err(FilterError { at: sign.at, problem: Problem::NothingNegated }),
        None => Ok(()),
    }
}

fn term(token: Token) -> Result<Option<Term>, FilterError> {
    let negated = token.negated;
    let Some((name, comparison)) = token.key else {
        let word: String = token.values.into_iter().map(|(_, value)| value).collect();
        let bare = BARE.into_iter().find(|(bare, _)| !token.quoted && bare.eq_ignore_ascii_case(&word));
        let condition = bare.map_or_else(|| RowCondition::word(&word), |(_, condition)| condition);
        // A sign with nothing to it is still being typed.
        return Ok((!word.is_empty()).then_some(Term { negated, condition }));
    };
    let Some(key) = FilterKey::named(&name) else {
        return Err(FilterError { at: token.at, problem: Problem::NoSuchKey(Clean::new(&name)) });
    };
    let condition = condition(key, comparison, &token.values)?;
    Ok(Some(Term { negated, condition }))
}

fn condition(key: FilterKey, comparison: Comparison, values: &[(usize, String)]) -> Result<RowCondition, FilterError> {
    let at = values.first().map_or(0, |(at, _)| *at);
    let fails = |at, problem| Err(FilterError { at, problem });
    if let Some((at, _)) = values.iter().find(|(_, value)| value.trim().is_empty()) {
        return fails(*at, Problem::NoValue(key.example()));
    }
    if comparison != Comparison::Equal && !key.has_order() {
        return fails(at, Problem::NoOrder(key.example()));
    }
    let lower = || values.iter().map(|(_, value)| value.to_lowercase()).collect();
    Ok(match key {
        FilterKey::Kind => RowCondition::Kind(each(values, Kinds::called, Problem::NoSuchKind)?),
        FilterKey::Is => RowCondition::Is(each(values, mark, Problem::NoSuchMark)?),
        FilterKey::From => RowCondition::From(lower()),
        FilterKey::Conversation => RowCondition::With(lower()),
        FilterKey::Id => RowCondition::Id(comparison, one(values, key, |text| text.parse().ok(), Problem::NotAnId)?),
        FilterKey::Size => RowCondition::Size(comparison, one(values, key, size, Problem::NotASize)?),
        FilterKey::Age => RowCondition::Age(comparison, one(values, key, span, Problem::NotASpan)?),
        FilterKey::Ack => RowCondition::AckAfter(comparison, one(values, key, span, Problem::NotASpan)?),
        FilterKey::Since => RowCondition::Since(one(values, key, TimeExpression::parse, Problem::NotATime)?),
        FilterKey::Until => RowCondition::Until(one(values, key, TimeExpression::parse, Problem::NotATime)?),
    })
}

fn each<T>(
    values: &[(usize, String)],
    read: impl Fn(&str) -> Option<T>,
    problem: impl Fn(Clean) -> Problem,
) -> Result<Vec<T>, FilterError> {
    let read = |(at, value): &(usize, String)| {
        read(value).ok_or_else(|| FilterError { at: *at, problem: problem(Clean::new(value)) })
    };
    values.iter().map(read).collect()
}

fn one<T>(
    values: &[(usize, String)],
    key: FilterKey,
    read: impl Fn(&str) -> Option<T>,
    problem: impl Fn(Clean) -> Problem,
) -> Result<T, FilterError> {
    if let (Some(value), [_]) = (each(values, read, problem)?.pop(), values) {
        return Ok(value);
    }
    let at = values.get(1).map_or(0, |(at, _)| *at);
    Err(FilterError { at, problem: Problem::OneValue(key.example()) })
}

fn mark(name: &str) -> Option<RowMark> {
    RowMark::ALL.into_iter().find(|mark| mark.name().eq_ignore_ascii_case(name))
}
