#pragma once
#include "core/sources/payload.h"
#include "core/sources/section.h"

namespace hookswitch::bolna {

/// Everything that Bolna extracted from a call, by dotted keys: `extracted_data` of both generations, then
/// `agent_extraction` (JSON inside a string), then `custom_extractions`; the first to name a key wins.
///
/// A value of the nested generation is its `objective`, else its `subjective`; confidence and reasoning are left out.
/// `document` parses JSON inside strings; the path of a value in such a string is the string's.
DataMap ReadExtractions(const payload::Section& execution, payload::Document& document);

}  // namespace hookswitch::bolna
