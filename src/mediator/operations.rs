//! Does what whoever runs the mediator asks for.

use super::Mediator;
use super::io::MediatorOutput;
use super::log::SlotRemoval;
use super::operator::{OperationId, OperatorAnswer, OperatorRefusal, OperatorRequest};
use crate::protocol::Millis;

impl Mediator {
    pub(super) fn operate(&mut self, now: Millis, operation: OperationId, request: &OperatorRequest) {
        let answer = if self.shut_down { Err(OperatorRefusal::ShuttingDown) } else { self.carry_out(now, request) };
        self.wire.put(MediatorOutput::Operated { operation, answer });
    }

    fn carry_out(&mut self, now: Millis, request: &OperatorRequest) -> OperatorAnswer {
        match request {
            OperatorRequest::DropDevice { group, device } => {
                let of = self.groups.get(group).ok_or(OperatorRefusal::NoSuchGroup)?;
                if !of.slots.contains_key(device) {
                    return Err(OperatorRefusal::NoSuchDevice);
                }
                self.remove_slot(now, *group, *device, SlotRemoval::ByOperator);
            }
            OperatorRequest::ForgetGroup { group } => {
                let of = self.groups.get(group).ok_or(OperatorRefusal::NoSuchGroup)?;
                for device in of.slots.keys().copied().collect::<Vec<_>>() {
                    self.remove_slot(now, *group, device, SlotRemoval::ByOperator);
                }
            }
        }
        Ok(())
    }
}
