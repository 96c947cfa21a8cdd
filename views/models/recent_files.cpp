#include "views/models/recent_files.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QSaveFile>
#include <QSettings>
#include <QStandardPaths>
#include <algorithm>

#include "views/models/background.h"

namespace strobe {
namespace {

constexpr size_t kMaxFiles = 10;

auto withPath(std::vector<RecentFile>& files, const QString& path) {
    return std::find_if(files.begin(), files.end(), [&](const RecentFile& file) { return file.path == path; });
}

QString thumbnailPath(const QString& path) {
    const QByteArray name = QCryptographicHash::hash(path.toUtf8(), QCryptographicHash::Sha1).toHex();
    return QStandardPaths::writableLocation(QStandardPaths::CacheLocation) + QStringLiteral("/thumbnails/") + QString::fromLatin1(name) + QStringLiteral(".png");
}

/// Whole or not at all. A cache: without a place for it the list does without pictures.
bool writePicture(const QString& path, const QImage& image) {
    QSaveFile file(path);
    return QDir().mkpath(QFileInfo(path).path()) && file.open(QIODevice::WriteOnly) && image.save(&file, "PNG") && file.commit();
}

}  // namespace

QImage RecentFile::thumbnail() const {
    return QImage(thumbnailPath(path));
}

RecentFiles::RecentFiles(QObject* parent) : QObject(parent) {
    QSettings settings;
    const int count = settings.beginReadArray(QStringLiteral("recentFiles"));
    for (int i = 0; i < count && m_files.size() < kMaxFiles; ++i) {
        settings.setArrayIndex(i);
        m_files.push_back({settings.value("path").toString(), settings.value("figures").toString(), settings.value("opened").toDateTime()});
    }
}

void RecentFiles::add(const QString& path) {
    const QString absolute = QFileInfo(path).absoluteFilePath();
    RecentFile file{absolute, {}, QDateTime::currentDateTime()};
    if (const auto known = withPath(m_files, absolute); known != m_files.end()) {
        file.figures = known->figures;
        m_files.erase(known);
    }
    m_files.insert(m_files.begin(), std::move(file));
    if (m_files.size() > kMaxFiles) {
        QFile::remove(thumbnailPath(m_files.back().path));
        m_files.pop_back();
    }
    save();
}

void RecentFiles::setFigures(const QString& path, const QString& figures) {
    const auto known = withPath(m_files, QFileInfo(path).absoluteFilePath());
    if (known == m_files.end() || known->figures == figures) return;
    known->figures = figures;
    save();
}

void RecentFiles::setThumbnail(const QString& path, QImage image) {
    const QString absolute = QFileInfo(path).absoluteFilePath(), file = thumbnailPath(absolute);
    if (image.isNull() || withPath(m_files, absolute) == m_files.end()) return;
    runInBackground(
        this, [file, image = std::move(image)] { return writePicture(file, image); },
        [this, absolute, file](bool isWritten) {
            if (withPath(m_files, absolute) == m_files.end())
                QFile::remove(file);  // left the list meanwhile
            else if (isWritten)
                emit changed();
        });
}

void RecentFiles::remove(const QString& path) {
    const auto known = withPath(m_files, path);
    if (known == m_files.end()) return;
    QFile::remove(thumbnailPath(path));
    m_files.erase(known);
    save();
}

void RecentFiles::save() {
    QSettings settings;
    settings.beginWriteArray(QStringLiteral("recentFiles"), static_cast<int>(m_files.size()));
    for (size_t i = 0; i < m_files.size(); ++i) {
        settings.setArrayIndex(static_cast<int>(i));
        settings.setValue("path", m_files[i].path);
        settings.setValue("figures", m_files[i].figures);
        settings.setValue("opened", m_files[i].opened);
    }
    settings.endArray();
    emit changed();
}

}  // namespace strobe
