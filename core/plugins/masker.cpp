#include "core/plugins/masker.h"

#include <algorithm>

namespace hookswitch::plugins {
namespace {

// Shorter parts of a URL are words like "v1" that say nothing; a whole secret is hidden whatever its length.
constexpr std::size_t kShortestPart = 8;

std::string UrlEncoded(std::string_view text, const char* hex, bool keep_slash) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~' || (keep_slash && c == '/');
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += hex[byte >> 4];
      out += hex[byte & 15];
    }
  }
  return out;
}

std::vector<std::string> Spellings(const std::string& secret) {
  std::vector<std::string> all{secret};
  if (const auto scheme = secret.find("://"); scheme != std::string::npos) {
    if (const auto path = secret.find('/', scheme + 3); path != std::string::npos) {
      if (secret.size() - path >= kShortestPart) all.push_back(secret.substr(path));
      if (const auto last = secret.rfind('/') + 1; secret.size() - last >= kShortestPart)
        all.push_back(secret.substr(last));
    }
  }
  for (std::size_t i = 0, plain = all.size(); i < plain; ++i) {
    for (const bool keep_slash : {false, true}) {
      all.push_back(UrlEncoded(all[i], "0123456789ABCDEF", keep_slash));
      all.push_back(UrlEncoded(all[i], "0123456789abcdef", keep_slash));
    }
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

}  // namespace

Masker::Masker(std::span<const std::string> secrets) {
  for (const std::string& secret : secrets) {
    if (secret.empty()) continue;
    for (std::string& spelling : Spellings(secret)) needles_.emplace_back(std::move(spelling));
  }
  std::stable_sort(needles_.begin(), needles_.end(),
                   [](const Secret& a, const Secret& b) { return a.Reveal().size() > b.Reveal().size(); });
}

std::string Masker::Mask(std::string text) const {
  static constexpr std::string_view kMask = "***";
  for (const Secret& needle : needles_) {
    for (auto at = text.find(needle.Reveal()); at != std::string::npos;
         at = text.find(needle.Reveal(), at + kMask.size())) {
      text.replace(at, needle.Reveal().size(), kMask);
    }
  }
  return text;
}

}  // namespace hookswitch::plugins
