//! Name look-ups, by the system's resolver, a few at a time.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use sip::ResolveId;
use tokio::net::lookup_host;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::engine_thread::Doors;

/// Look-ups at once; each may hold a thread of the runtime's blocking pool.
const LOOKUPS_MAX: usize = 16;
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);
const LANE_FULL_PAUSE: Duration = Duration::from_millis(2);

pub(super) struct Names {
    runtime: Handle,
    doors: Doors,
    places: Arc<Semaphore>,
}

impl Names {
    pub(super) fn new(runtime: Handle, doors: Doors) -> Self {
        Self { runtime, doors, places: Arc::new(Semaphore::new(LOOKUPS_MAX)) }
    }

    pub(super) fn resolve(&self, job: ResolveId, host: Arc<str>) {
        let (doors, places) = (self.doors.clone(), self.places.clone());
        self.runtime.spawn(async move {
            let Ok(_place) = places.acquire().await else { return };
            let found = timeout(LOOKUP_TIMEOUT, lookup_host((&*host, 0))).await;
            let addresses: Vec<IpAddr> = match found {
                Ok(Ok(found)) => found.map(|address| address.ip()).collect(),
                Ok(Err(_)) | Err(_) => Vec::new(),
            };
            let mut answer = sip::Input::Resolved { job, addresses };
            while let Err(back) = doors.try_network(answer) {
                answer = back;
                sleep(LANE_FULL_PAUSE).await;
            }
        });
    }
}
