#include "core/config/source_config.h"

#include <algorithm>
#include <string>

#include "core/config/map_reader.h"
#include "core/config/mapping_reader.h"
#include "core/config/platforms.h"
#include "core/config/secrets.h"

namespace hookswitch::config {
namespace {

// Two of them, and what they become, are less than the server holds at a time (HttpServerOptions::max_bodies).
constexpr std::uint64_t kMostBody = 32 << 20;

void ReadMaxBody(const MapReader& reader, Source& source) {
  const Node* node = reader.Get("max_body");
  if (!node) return;
  reader.Size("max_body", source.max_body.emplace());
  if (*source.max_body > kMostBody) reader.Error(*node, reader.Name("max_body") + " must be at most 32MiB");
}

// `check` alone uses a sample, so a router runs without it.
void FindSample(const Environment& environment, Mapping& mapping, Problems& problems) {
  const Mark& where = mapping.sample_where;
  const int width = static_cast<int>(mapping.sample.size());
  mapping.sample = RelativeTo(where.file ? where.file->path : "", mapping.sample);
  std::string error;
  if (!environment.read_file || environment.read_file(mapping.sample, error)) return;
  problems.Warning(where, width, "cannot read " + mapping.sample + ": " + error, "check does not try the mapping");
  mapping.sample.clear();
}

}  // namespace

Oversized OversizedOf(std::string_view word) {
  return word == "skip" ? Oversized::kSkip : Oversized::kReject;
}

Handshake HandshakeOf(std::string_view word) {
  return word == "cloudevents" ? Handshake::kCloudEvents : Handshake::kNone;
}

void CheckSignatureOfGet(const Node::Entry& entry, const Source& source, Problems& problems) {
  const Node::Entry* verify = entry.value.FindEntry("verify");
  if (!verify || !source.verify || CoversQuery(*source.verify)) return;
  if (std::ranges::find(source.methods, "GET") == source.methods.end()) return;
  problems.Error(
      verify->key_where, KeyWidth(*verify),
      "sources." + entry.key + ".verify: this signature does not cover the query, which is the event of a GET",
      "take GET out of methods, or use auth");
}

void ReadRequestsOf(const Node::Entry& entry, const Environment& environment, Source& source, Problems& problems) {
  const std::string at = "sources." + entry.key;
  const MapReader reader(&entry.value, at, problems);
  if (const Platform* platform = FindPlatform(source.type)) {
    source.methods = platform->methods;
    source.oversized = platform->oversized;
    source.handshake = platform->handshake;
    source.map = platform->map;
  }
  reader.Texts("methods", source.methods);
  CheckSignatureOfGet(entry, source, problems);
  ReadMaxBody(reader, source);
  if (const Node* word = reader.Scalar("oversized")) source.oversized = OversizedOf(word->scalar);
  if (const Node* word = reader.Scalar("handshake")) source.handshake = HandshakeOf(word->scalar);
  const Node* type = reader.Scalar("type");
  const Node::Entry* map = entry.value.FindEntry("map");
  if (!type || problems.HasErrorAt(type->where)) return;
  if (source.type != "json") {
    if (!map) return;
    if (!environment.is_kept || !FindPlatform(source.type)) {
      problems.Error(map->key_where, KeyWidth(*map),
                     at + ".map is for type json; the requests of type " + source.type + " are understood without it",
                     "remove map, or write type: json");
      return;
    }
  }
  if (!map) {
    if (HasFaultyKey(entry.value, problems)) return;
    problems.Error(type->where, Width(*type), at + " of type json needs \"map\"",
                   "for each field of the event, where in a request its value is");
    return;
  }
  if (map->value.kind != Node::Kind::kMap) return;
  Mapping mapping = ReadMapping(map->value, at + ".map", problems);
  if (!mapping.sample.empty()) FindSample(environment, mapping, problems);
  source.map = std::make_shared<const Mapping>(std::move(mapping));
}

}  // namespace hookswitch::config
