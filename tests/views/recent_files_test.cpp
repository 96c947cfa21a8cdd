#include "views/models/recent_files.h"

#include <QDir>
#include <QSettings>
#include <QSignalSpy>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>
#include <QThreadPool>

using namespace strobe;

class RecentFilesTest : public QObject {
    Q_OBJECT

private:
    std::unique_ptr<QTemporaryDir> m_folder;

    static QImage picture(Qt::GlobalColor colour) {
        QImage image(192, 64, QImage::Format_ARGB32_Premultiplied);
        image.fill(colour);
        return image;
    }
    static qsizetype picturesOnDisk() {
        return QDir(QStandardPaths::writableLocation(QStandardPaths::CacheLocation) + "/thumbnails").entryList(QDir::Files).size();
    }

private slots:
    void init() {
        m_folder = std::make_unique<QTemporaryDir>();
        qputenv("XDG_CACHE_HOME", m_folder->filePath("cache").toUtf8());
        QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, m_folder->filePath("config"));
    }

    void pictureComesBackUnderItsOwnFile() {
        RecentFiles recent;
        recent.add("/models/a.onnx");
        recent.add("/models/b.onnx");
        QSignalSpy changed(&recent, &RecentFiles::changed);
        recent.setThumbnail("/models/a.onnx", picture(Qt::red));
        QVERIFY(recent.files()[1].thumbnail().isNull());  // it is written in the background
        QVERIFY(changed.wait(5000));
        QCOMPARE(recent.files()[1].thumbnail().pixelColor(5, 5), QColor(Qt::red));
        QVERIFY(recent.files()[0].thumbnail().isNull());
        QCOMPARE(RecentFiles().files()[1].thumbnail().size(), QSize(192, 64));
    }

    void pictureOfAFileThatLeftTheListIsNotKept() {
        RecentFiles recent;
        recent.add("/models/a.onnx");
        recent.setThumbnail("/models/a.onnx", picture(Qt::red));
        recent.remove("/models/a.onnx");
        QThreadPool::globalInstance()->waitForDone();
        QTRY_COMPARE(picturesOnDisk(), qsizetype{0});
        recent.setThumbnail("/models/never.onnx", picture(Qt::red));
        QThreadPool::globalInstance()->waitForDone();
        QCOMPARE(picturesOnDisk(), qsizetype{0});
    }

    void theEleventhFilePushesTheFirstAndItsPictureOut() {
        RecentFiles recent;
        recent.add("/models/first.onnx");
        QSignalSpy changed(&recent, &RecentFiles::changed);
        recent.setThumbnail("/models/first.onnx", picture(Qt::blue));
        QVERIFY(changed.wait(5000));
        QCOMPARE(picturesOnDisk(), qsizetype{1});
        for (int at = 0; at < 10; ++at) recent.add(QStringLiteral("/models/%1.onnx").arg(at));
        QCOMPARE(recent.files().size(), size_t{10});
        QCOMPARE(recent.files().front().path, QString("/models/9.onnx"));
        QCOMPARE(picturesOnDisk(), qsizetype{0});
    }
};

QTEST_GUILESS_MAIN(RecentFilesTest)
#include "recent_files_test.moc"
