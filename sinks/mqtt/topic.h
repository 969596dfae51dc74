#pragma once
#include <string>
#include <string_view>

#include "hookswitch/sink.hpp"

namespace mqtt {

/// Why `topic` is not a valid template ("holds + or #…", to follow the key's name), or "".
std::string ProblemWithTopic(std::string_view topic);
/// The topic with {agent}, {status}, {source} and {call_id} filled in. Values cannot add a level or a wildcard; an
/// empty value becomes "_".
std::string TopicFor(std::string_view topic, const hsw::Delivery& delivery);

}  // namespace mqtt
