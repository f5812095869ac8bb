use crate::{demo::Demo, live::Live};
use cached_orm::{Backend, Orm};
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;

/// What every handler may ask for. Cheap to clone.
pub(crate) struct App<DB: Backend> {
    pub(crate) orm: Orm<DB>,
    pub(crate) live: Arc<Live>,
    pub(crate) prometheus: PrometheusHandle,
    /// Only with `--demo`.
    pub(crate) demo: Option<Arc<Demo>>,
}

// Not derived: that would want `DB: Clone`.
impl<DB: Backend> Clone for App<DB> {
    fn clone(&self) -> Self {
        Self {
            orm: self.orm.clone(),
            live: Arc::clone(&self.live),
            prometheus: self.prometheus.clone(),
            demo: self.demo.clone(),
        }
    }
}
