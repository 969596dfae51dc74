#pragma once
#include <string>
#include <string_view>

#include "hookswitch/sink.hpp"

namespace mqtt {

/// What is wrong with `topic` as a template ("holds + or #…", to follow the key's name), or "".
std::string ProblemWithTopic(std::string_view topic);
/// The topic with {agent}, {status}, {source} and {call_id} filled in. A value cannot make a level of its own or a
/// wildcard, and one that is empty is "_".
std::string TopicFor(std::string_view topic, const hsw::Delivery& delivery);

}  // namespace mqtt
