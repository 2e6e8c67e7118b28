//! Uploading and downloading. (MED-1 to MED-27)

mod complete_upload;
mod get;
mod start_upload;

pub use complete_upload::{CompleteUpload, CompleteUploadRefusal, MediaInfo, OneMedia};
pub use get::{GetMedia, GetMediaRefusal, MediaLink, OneMediaPart};
pub use start_upload::{NewUpload, PartPlan, PartTarget, StartUpload, StartUploadRefusal, UploadStarted};
