//! Does what whoever runs the mediator asks for.

use super::Mediator;
use super::io::MediatorOutput;
use super::log::{Closing, LogEvent, SlotRemoval};
use super::operation_id::OperationId;
use super::operator::{OperatorAnswer, OperatorRefusal, OperatorRequest};
use super::prefixes::GroupPrefixes;
use super::status::pseudonym;
use super::storage::{Change, StoredGroup};
use super::timers::Timer;
use crate::protocol::{CloseCode, DeviceGroupId, Millis};

impl Mediator {
    pub(super) fn operate(&mut self, now: Millis, operation: OperationId, request: OperatorRequest) {
        let answer = if self.shut_down { Err(OperatorRefusal::ShuttingDown) } else { self.carry_out(now, request) };
        self.wire.put(MediatorOutput::Operated { operation, answer });
    }

    fn carry_out(&mut self, now: Millis, request: OperatorRequest) -> OperatorAnswer {
        match request {
            OperatorRequest::DropDevice { group, device } => {
                let of = self.groups.get(&group).ok_or(OperatorRefusal::NoSuchGroup)?;
                if !of.slots.contains_key(&device) {
                    return Err(OperatorRefusal::NoSuchDevice);
                }
                self.remove_slot(now, group, device, SlotRemoval::ByOperator);
            }
            OperatorRequest::ForgetGroup { group } => {
                let of = self.groups.get(&group).ok_or(OperatorRefusal::NoSuchGroup)?;
                for device in of.slots.keys().copied().collect::<Vec<_>>() {
                    self.remove_slot(now, group, device, SlotRemoval::ByOperator);
                }
            }
            OperatorRequest::GiveUp(prefixes) => return self.give_up(now, prefixes),
            OperatorRequest::TakeBack { prefixes, served } => {
                self.moving = self.moving.without(prefixes);
                self.set_moved(self.moved.without(served));
            }
            OperatorRequest::Discard(prefixes) => self.discard(prefixes),
            OperatorRequest::Expect { prefixes, groups } => return self.expect(prefixes, &groups),
            OperatorRequest::Take { prefixes, groups } => self.take(now, prefixes, groups),
            OperatorRequest::Decline(prefixes) => self.moving = self.moving.without(prefixes),
        }
        Ok(GroupPrefixes::NONE)
    }

    fn give_up(&mut self, now: Millis, prefixes: GroupPrefixes) -> OperatorAnswer {
        self.begin_move(prefixes)?;
        let served = prefixes.without(self.moved);
        self.set_moved(self.moved.union(prefixes));
        let closing = || Closing::new(CloseCode::SERVICE_RESTART, "the group moves to another mediator");
        for id in self.wire.ids() {
            if self.wire.get(id).is_some_and(|connection| prefixes.contains(&connection.group)) {
                self.close(now, id, closing());
            }
        }
        Ok(served)
    }

    fn begin_move(&mut self, prefixes: GroupPrefixes) -> Result<(), OperatorRefusal> {
        let busy = prefixes.without(prefixes.without(self.moving));
        if !busy.is_empty() {
            return Err(OperatorRefusal::Busy(busy));
        }
        self.moving = self.moving.union(prefixes);
        Ok(())
    }

    fn set_moved(&mut self, moved: GroupPrefixes) {
        self.moved = moved;
        self.wire.store(Change::Moved(moved));
    }

    fn discard(&mut self, prefixes: GroupPrefixes) {
        self.moving = self.moving.without(prefixes);
        let gone: Vec<DeviceGroupId> = self.groups.keys().copied().filter(|id| prefixes.contains(id)).collect();
        let mut devices = 0;
        for id in &gone {
            let slots = self.groups.get(id).map(|group| group.slots.keys().copied().collect::<Vec<_>>());
            for device in slots.into_iter().flatten() {
                devices += 1;
                self.timers.cancel(Timer::Slot(*id, device));
                self.wire.store(Change::SlotRemoved { group: *id, device });
            }
            self.remove_group(*id);
        }
        self.wire.log(LogEvent::Exported { prefixes, groups: gone.len(), devices });
    }

    fn expect(&mut self, prefixes: GroupPrefixes, groups: &[DeviceGroupId]) -> OperatorAnswer {
        if let Some(group) = groups.iter().find(|group| self.groups.contains_key(group)) {
            return Err(OperatorRefusal::Exists(pseudonym(group)));
        }
        if let Some(group) = groups.iter().find(|group| !self.config.prefixes.contains(group)) {
            return Err(OperatorRefusal::NotServed(pseudonym(group)));
        }
        if self.groups.len() + groups.len() > self.config.max_groups {
            return Err(OperatorRefusal::TooManyGroups);
        }
        self.begin_move(prefixes)?;
        Ok(self.moved.without(prefixes))
    }

    fn take(&mut self, now: Millis, prefixes: GroupPrefixes, groups: Vec<StoredGroup>) {
        self.moving = self.moving.without(prefixes);
        self.set_moved(self.moved.without(prefixes));
        let devices = groups.iter().map(|group| group.slots.len()).sum();
        self.wire.log(LogEvent::Imported { prefixes, groups: groups.len(), devices });
        self.take_in(now, groups);
    }
}
