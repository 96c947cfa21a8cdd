// Files opened lately with the figures that they had, kept in the user's settings. GUI thread only.
#pragma once

#include <QDateTime>
#include <QImage>
#include <QObject>
#include <QString>
#include <vector>

namespace strobe {

struct RecentFile {
    QString path;     // absolute
    QString figures;  // "75 nodes · BF16 0.412 ms"; empty until known
    QDateTime opened;
    /// A small picture of its graph; null until there is one.
    QImage thumbnail() const;
};

class RecentFiles : public QObject {
    Q_OBJECT
public:
    explicit RecentFiles(QObject* parent = nullptr);
    /// Newest first, at most ten.
    const std::vector<RecentFile>& files() const { return m_files; }
    void add(const QString& path);
    /// Does nothing for a path that is not in the list.
    void setFigures(const QString& path, const QString& figures);
    /// Written beside the other caches in the background; `changed` when it is there.
    void setThumbnail(const QString& path, QImage image);
    void remove(const QString& path);

signals:
    void changed();

private:
    void save();

    std::vector<RecentFile> m_files;
};

}  // namespace strobe
