#include "core/admin/live_readers.h"

#include <algorithm>
#include <map>
#include <string>

namespace hookswitch {
namespace {

constexpr std::string_view kComment = ":\n\n";
constexpr std::size_t kPiece = 64 * 1024;

/// In pieces, because one alone must not exceed what may wait for a reader.
bool WriteAll(BodyStream& stream, std::string_view text) {
  while (!text.empty()) {
    if (!stream.Write(text.substr(0, kPiece))) return false;
    text.remove_prefix(std::min(kPiece, text.size()));
  }
  return true;
}

}  // namespace

void LiveReaders::Add(std::unique_ptr<BodyStream> stream, LiveKinds kinds, std::string_view first) {
  if (!WriteAll(*stream, first)) return;
  readers_.push_back({std::move(stream), kinds, clock_.Mono(), clock_.Mono()});
}

void LiveReaders::Send(std::span<const LiveMessage> messages) {
  if (messages.empty()) return;
  // Most readers want the same.
  std::map<LiveKinds, std::string> texts;
  std::erase_if(readers_, [&](Reader& reader) {
    const auto [entry, is_new] = texts.try_emplace(reader.kinds);
    std::string& text = entry->second;
    if (is_new) {
      for (const LiveMessage& message : messages) {
        if ((message.kinds & reader.kinds) != 0) text += message.text;
      }
    }
    if (text.empty()) return false;
    reader.written = clock_.Mono();
    return !WriteAll(*reader.stream, text);
  });
}

void LiveReaders::Tend() {
  const MonoTime now = clock_.Mono();
  std::erase_if(readers_, [&](Reader& reader) {
    if (now - reader.opened >= kLongest) return true;
    if (now - reader.written < kCommentAfter) return false;
    reader.written = now;
    return !reader.stream->Write(kComment);
  });
}

void LiveReaders::Probe() {
  std::erase_if(readers_, [](Reader& reader) { return !reader.stream->Write(kComment); });
}

LiveKinds LiveReaders::kinds() const {
  LiveKinds kinds = 0;
  for (const Reader& reader : readers_) kinds |= reader.kinds;
  return kinds;
}

}  // namespace hookswitch
