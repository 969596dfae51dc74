#pragma once
#include <string>

#include "core/base/result.h"

namespace hookswitch {

/// Writes a copy of the journal in `path`, as it is when this begins, to `target`: a journal that opens by itself.
///
/// Works beside a router that uses the journal, and on a damaged one as far as its pages can be read. `target` appears
/// whole or not at all, for its owner only (0600), and is on disk on return. Errors: kInvalid (`target` exists; `path`
/// is no journal), kUnavailable (anything else; the message names the file).
Status BackupJournal(const std::string& path, const std::string& target);

}  // namespace hookswitch
