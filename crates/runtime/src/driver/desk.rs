//! How does an operator speak to an engine at work? Orders and looks wait beside the events, and the
//! loop takes them between two batches. Not here: what may be ordered (`orders`).

use tokio::sync::{mpsc, oneshot};
use tokio::time::Duration;
use wayfare_event::Timestamp;
use wayfare_executor::Action;
use wayfare_store::{Store, StoreError};

use super::Driver;
use crate::clock;
use crate::engine::Engine;
use crate::orders::{self, OrderError};

/// Orders and looks that wait for the writer.
const WAITING_MAX: usize = 64;
/// How long one waits for a place among them.
const PLACE_WAIT: Duration = Duration::from_secs(5);

/// Where orders and looks are handed in.
#[derive(Clone, Debug)]
pub struct Desk(mpsc::Sender<Asked>);

/// Why nothing came of an order or a look.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// It cannot be ordered.
    #[error(transparent)]
    Order(OrderError),
    /// Too many wait: nothing was done.
    #[error("more is asked than can be answered; ask again later")]
    Busy,
    /// The engine has stopped. An order that was handed in may stand.
    #[error("the engine has stopped; see its log")]
    Stopped,
}

/// Orders that were given, and are durable. What a stop began goes on.
#[derive(Clone, Debug)]
pub struct Given {
    /// When they count.
    pub at: Timestamp,
    /// What was ordered.
    pub actions: Vec<Action>,
}

type Find = Box<dyn FnOnce(&mut Engine) -> Result<Vec<Action>, OrderError> + Send>;
type Look = Box<dyn FnOnce(&mut dyn Store) -> Result<(), StoreError> + Send>;

pub(super) enum Asked {
    Order {
        /// What the actions are, when its turn has come.
        find: Find,
        by: String,
        reason: String,
        reply: oneshot::Sender<Result<Given, OrderError>>,
    },
    Look(Look),
}

impl Desk {
    /// Gives orders in somebody's name, with a reason; `find` says what the actions are as things stand
    /// then. Answered once they are durable.
    ///
    /// # Errors
    ///
    /// When it cannot be ordered, or is not taken.
    pub async fn order(
        &self,
        (by, reason): (String, String),
        find: impl FnOnce(&mut Engine) -> Result<Vec<Action>, OrderError> + Send + 'static,
    ) -> Result<Given, DeskError> {
        let (reply, told) = oneshot::channel();
        let find = Box::new(find);
        self.hand_in(Asked::Order {
            find,
            by,
            reason,
            reply,
        })
        .await?;
        let told = told.await.map_err(|_| DeskError::Stopped)?;
        told.map_err(DeskError::Order)
    }

    /// Looks at what is durable, between two batches. Everything else waits meanwhile: a look takes no
    /// longer than a batch.
    ///
    /// # Errors
    ///
    /// When it is not answered. A store that cannot be read stops the engine.
    pub async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut dyn Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, DeskError> {
        let (reply, told) = oneshot::channel();
        let look = move |store: &mut dyn Store| {
            // One that went away has no ear for the answer.
            let _unheard = reply.send(look(store)?);
            Ok(())
        };
        self.hand_in(Asked::Look(Box::new(look))).await?;
        told.await.map_err(|_| DeskError::Stopped)
    }

    async fn hand_in(&self, asked: Asked) -> Result<(), DeskError> {
        use mpsc::error::SendTimeoutError::{Closed, Timeout};
        match self.0.send_timeout(asked, PLACE_WAIT).await {
            Ok(()) => Ok(()),
            Err(Timeout(_)) => Err(DeskError::Busy),
            Err(Closed(_)) => Err(DeskError::Stopped),
        }
    }
}

/// A desk, and where what is handed in arrives.
fn desk() -> (Desk, mpsc::Receiver<Asked>) {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    (Desk(sender), receiver)
}

/// Where nothing ever arrives: nobody has a desk yet.
pub(super) fn nobody() -> mpsc::Receiver<Asked> {
    desk().1
}

impl Driver<'_> {
    /// Where orders and looks are handed in from now on; answered while [`Driver::run`] runs.
    pub fn desk(&mut self) -> Desk {
        let (desk, asked) = desk();
        self.asked = asked;
        desk
    }

    /// Takes one order or look. Whatever waits becomes durable first, and an order before its answer.
    pub(super) fn answer(&mut self, asked: Asked) -> Result<(), StoreError> {
        self.flush()?;
        match asked {
            Asked::Look(look) => look(self.engine.store()),
            Asked::Order {
                find,
                by,
                reason,
                reply,
            } => {
                let answer = match find(&mut self.engine) {
                    Ok(actions) => {
                        let at = clock::now().max(self.engine.at());
                        orders::give(&mut self.engine, at, (&by, &reason), &actions)?;
                        self.flush()?;
                        Ok(Given { at, actions })
                    }
                    Err(OrderError::Store(error)) => return Err(error),
                    Err(refused) => Err(refused),
                };
                // The order stands whether or not somebody hears of it.
                let _unheard = reply.send(answer);
                Ok(())
            }
        }
    }
}
