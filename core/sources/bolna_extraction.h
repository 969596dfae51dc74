#pragma once
#include "core/base/json.h"
#include "core/sources/payload.h"

namespace hookswitch::bolna {

/// Everything that Bolna extracted from a call, by dotted keys: `extracted_data` of both generations, then
/// `agent_extraction` (JSON inside a string), then `custom_extractions`; the first to name a key wins.
///
/// A value of the nested generation is its `objective`, else its `subjective`; confidence and reasoning are left out.
/// `document` parses JSON inside strings.
TextMap ReadExtractions(const json::object& execution, payload::Document& document);

}  // namespace hookswitch::bolna
