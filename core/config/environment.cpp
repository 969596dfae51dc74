#include "core/config/environment.h"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <system_error>

#include "core/config/env_file.h"
#include "core/config/yaml_parser.h"

namespace hookswitch::config {
namespace {

std::optional<std::string> ReadFile(const std::string& path, std::string& error) {
  const auto fail = [&](int code) {
    error = std::generic_category().message(code);
    return std::nullopt;
  };
  // Non-blocking: opening a pipe without a writer would block forever.
  const int fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return fail(errno);
  const std::unique_ptr<const int, void (*)(const int*)> closes(&fd, [](const int* open) { ::close(*open); });
  struct stat info {};
  if (::fstat(fd, &info) != 0) return fail(errno);
  if (S_ISDIR(info.st_mode)) return fail(EISDIR);
  if (!S_ISREG(info.st_mode)) {
    error = "not a regular file";
    return {};
  }
  // One byte over the limit makes the parser reject the file.
  std::string text(kMaxFileBytes + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t n = ::read(fd, text.data() + size, text.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(errno);
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
  }
  text.resize(size);
  return text;
}

std::vector<std::string> ListFiles(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  if (glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0)
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  std::sort(paths.begin(), paths.end());
  return paths;
}

bool OthersCanRead(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 && (info.st_mode & S_IROTH) != 0;
}

/// The variables of a file, else those of the process.
class Variables {
 public:
  explicit Variables(std::string file) : path_(std::move(file)) {
    if (!path_.starts_with('-')) return;
    path_.erase(0, 1);
    may_be_missing_ = true;
  }

  void Refresh(Problems& problems) {
    from_process_.clear();
    if (path_.empty()) return;
    std::string error;
    auto text = ReadFile(path_, error);
    if (!text && may_be_missing_ && !Exists()) text = "";
    if (!text) {
      problems.Error({std::make_shared<const SourceFile>(path_, ""), 0, 0}, 1,
                     "cannot read the file of environment variables: " + error);
      return;  // the previous values stay, so no further problems follow from this one
    }
    const auto source = std::make_shared<const SourceFile>(path_, std::move(*text));
    source->Seal(0, source->text.size());
    EnvFile file = ParseEnvFile(source->text);
    if (!file.is_text || source->text.size() > kMaxFileBytes) {
      problems.Error({source, 0, 0}, 1,
                     file.is_text ? "larger than " + std::to_string(kMaxFileBytes >> 20) + " MiB" : "not UTF-8 text");
      return;
    }
    for (const EnvFile::Fault& fault : file.faults) {
      problems.Warning({source, fault.line, 1}, 1, fault.message, fault.hint);
    }
    if (OthersCanRead(path_)) {
      problems.Warning({source, 0, 0}, 1, "everyone on this machine can read this file", "chmod o-r " + path_);
    }
    file_ = std::move(file.variables);
    for (const auto& [name, value] : file_) names_.insert(name);
  }

  std::optional<std::string> Get(const std::string& name) {
    if (const auto it = file_.find(name); it != file_.end()) return it->second;
    // The process has it from an earlier version of the same file.
    if (names_.contains(name)) return {};
    const char* value = std::getenv(name.c_str());
    if (!value) return {};
    from_process_.insert(name);
    return value;
  }

  std::vector<std::string> FromProcess() const { return {from_process_.begin(), from_process_.end()}; }

 private:
  bool Exists() const {
    struct stat info {};
    return stat(path_.c_str(), &info) == 0 || errno != ENOENT;
  }

  std::string path_;
  bool may_be_missing_ = false;
  std::map<std::string, std::string, std::less<>> file_;
  std::set<std::string> names_;  // all that were ever in the file
  std::set<std::string> from_process_;
};

}  // namespace

Environment Environment::System(const std::string& env_file) {
  Environment environment;
  environment.read_file = ReadFile;
  environment.list_files = ListFiles;
  environment.others_can_read = OthersCanRead;
  const auto variables = std::make_shared<Variables>(env_file);
  environment.variable = [variables](const std::string& name) { return variables->Get(name); };
  environment.refresh = [variables](Problems& problems) { variables->Refresh(problems); };
  environment.from_process = [variables] { return variables->FromProcess(); };
  return environment;
}

}  // namespace hookswitch::config
