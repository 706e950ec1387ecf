#pragma once

#include "ports/store_records.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fp::ports {

/// A workflow as people edit it: one draft, and numbered versions that never change.
struct WorkflowRecord {
  WorkflowId id;
  std::string name;                  // of the draft
  std::string draft;                 // canonical JSON text of the document, as it was saved
  std::string draft_hash;            // hex of hash_256(draft)
  bool draft_valid = true;           // saved with allow_invalid it may not be
  std::uint64_t revision = 0;        // grows by one with every change, whatever it is
  std::uint32_t version = 0;         // the published one; 0 = none
  std::string version_hash;          // of the published one's document
  std::uint32_t newest_version = 0;  // number of the version made last
  bool enabled = true;
  std::vector<std::string> tags;
  std::string created_by;
  TimePoint created_at{};
  TimePoint updated_at{};
  std::optional<TimePoint> deleted_at;  // its executions stay readable, lists leave it out
  bool operator==(const WorkflowRecord&) const = default;
};

/// One published version. Its document is the WorkflowVersion with that hash.
struct PublishedVersion {
  WorkflowId workflow;
  std::uint32_t number = 0;  // from 1, without gaps
  std::string hash;
  std::string published_by;
  std::string note;
  TimePoint published_at{};
  bool operator==(const PublishedVersion&) const = default;
};

/// One change of one workflow: the whole record as it is afterwards.
struct WorkflowWrite {
  WorkflowRecord record;  // `revision` is one more than the stored one, or the write is a conflict
  std::optional<PublishedVersion> published;  // made with this change
  std::optional<IdempotencyEntry> idempotency;
};

struct WorkflowFilter {
  std::string search;  // in name and description
  std::string tag;
  std::string status;  // "" = any; draft (never published), published, disabled
};
struct WorkflowPage {
  std::vector<WorkflowRecord> items;  // newest first, by id
  std::optional<WorkflowId> next;
  std::uint64_t count = 0;  // of all that fit
};

/// A version that a name or id stands for.
struct NamedVersion {
  WorkflowVersion version;
  std::optional<WorkflowId> workflow;
  std::uint32_t number = 0;  // 0 = a draft, or a document no workflow holds
};

}  // namespace fp::ports
