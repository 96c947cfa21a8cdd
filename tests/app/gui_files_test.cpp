// Files as the window treats them: opening, dropping, saving, closing, recent ones.
#include <QDeadlineTimer>
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QListView>
#include <QMimeData>
#include <QPushButton>
#include <QThread>
#include <QThreadPool>
#include <QUrl>
#include <atomic>

#include "tests/app/odd_models.h"
#include "tests/app/window_test.h"
#include "views/models/display_text.h"
#include "views/models/recent_files.h"
#include "views/pages/start/start_page.h"

using namespace strobe;
using strobe::testing::WindowFixture;
using strobe::testing::WindowUser;

class FilesTest : public strobe::testing::WindowTest {
    Q_OBJECT

private:
    std::atomic<bool> m_isSaveHeld = false;

    /// A save to `path` that waits for a job which does not obey, until m_isSaveHeld is false.
    void beginLongSave(const QString& path) {
        show();
        openSample();
        Session& session = m_fixture->session();
        m_isSaveHeld = true;
        session.jobs().submit("Hold", [this](JobContext&) {
            for (const QDeadlineTimer end(10000); m_isSaveHeld && !end.hasExpired();) QThread::msleep(1);
            return Status::ok();
        });
        window().actions()["precisionBF16"].trigger();
        WindowUser(window()).answerFileDialog(path, [&] { key(Qt::Key_S, Qt::ControlModifier); });
        QTRY_VERIFY(window().isWindowModified());
    }

private slots:
    void cleanup() {
        m_isSaveHeld = false;
        WindowTest::cleanup();
    }

    void pictureOfAGraphIsFiledUnderItsOwnModel() {
        show();
        openSample();
        const QString first = context().model() ? toQString(context().model()->path) : QString();
        const auto thumbnailOf = [&](const QString& path) {
            const RecentFiles kept;  // as they stand in the settings
            for (const RecentFile& file : kept.files())
                if (QFileInfo(file.path) == QFileInfo(path)) return file.thumbnail();
            return QImage();
        };
        QTRY_VERIFY(!thumbnailOf(first).isNull());
        // Another model has arrived, and the canvas reports the old one's layout.
        const QString second = m_fixture->path("second.onnx");
        QVERIFY(testing::writeProblemModel(second.toStdString()));
        bool wasReported = false;
        connect(&context(), &WorkbenchContext::modelChanged, this, [&] {
            wasReported = window().graphPage().shownModel() != context().model();
            emit canvas().layoutFinished();
            QThreadPool::globalInstance()->waitForDone();
            wasReported = wasReported && thumbnailOf(second).isNull();
        });
        window().openPath(second);
        QVERIFY(QTest::qWaitFor([&] { return wasReported; }, 10000));
        QTRY_VERIFY(!thumbnailOf(second).isNull());
        QVERIFY(thumbnailOf(second) != thumbnailOf(first));
    }

    void openBeginsBesideTheLastModel() {
        show();
        const QString copy = m_fixture->path("here.onnx");
        QVERIFY(QFile::copy(WindowFixture::samplePath(), copy));
        window().openPath(copy);
        QVERIFY(QTest::qWaitFor([&] { return context().model() != nullptr; }, 10000));
        const auto folderOfDialog = [&] {
            QString folder;
            WindowUser user(window());
            user.whenUp<QFileDialog>([&](QFileDialog& dialog) {
                folder = dialog.directory().absolutePath();
                dialog.reject();
            });
            key(Qt::Key_O, Qt::ControlModifier);
            return folder;
        };
        QCOMPARE(folderOfDialog(), QFileInfo(copy).absolutePath());
    }

    void aTypedPathOpensInTheFolderInViewToo() {
        show();
        QVERIFY(QDir().mkpath(m_fixture->path("models")));
        const QString first = m_fixture->path("models/first.onnx"), second = m_fixture->path("models/second.onnx");
        for (const QString& copy : {first, second}) QVERIFY(QFile::copy(WindowFixture::samplePath(), copy));
        window().openPath(first);
        QVERIFY(QTest::qWaitFor([&] { return context().model() != nullptr; }, 10000));
        bool isAnswered = false;
        WindowUser user(window());
        user.whenUp<QFileDialog>([&](QFileDialog& dialog) {
            auto* list = dialog.findChild<QListView*>("listView");
            const bool isListed =
                QTest::qWaitFor([&] { return list->model()->rowCount(list->rootIndex()) == 2; }, 5000);
            user.type(second);
            QTest::qWait(100);
            user.press(Qt::Key_Return);
            isAnswered = isListed && QTest::qWaitFor([&] { return !dialog.isVisible(); }, 1000);
            if (!isAnswered) dialog.reject();
        });
        key(Qt::Key_O, Qt::ControlModifier);
        QVERIFY(isAnswered);
        QVERIFY(m_fixture->waitForJobs());
        QTRY_COMPARE(toQString(context().model()->path), second);
    }

    void heldOutDataBesideAModelIsTakenAndUndone() {
        show();
        openSample();
        const auto data = [&] { return toQString(m_fixture->session().settings().inputFile); };
        QTRY_VERIFY(data().endsWith("digits_heldout.npz"));
        QVERIFY(!window().isWindowModified());
        key(Qt::Key_Z, Qt::ControlModifier);
        QCOMPARE(data(), QString());
        answer(QMessageBox::Discard);  // an undone setting is a change too
        key(Qt::Key_F5);  // the same file: what the user chose stays
        QVERIFY(m_fixture->waitForJobs());
        QCOMPARE(data(), QString());
        key(Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
        QVERIFY(data().endsWith("digits_heldout.npz"));
    }

    void aFileThatCannotBeOpenedIsExplained() {
        show();
        window().openPath(m_fixture->path("missing.onnx"));
        QVERIFY(QTest::qWaitFor([&] { return !window().errorShown().isEmpty(); }));
        QVERIFY2(window().errorShown().contains("missing.onnx"), qPrintable(window().errorShown()));
        QVERIFY(context().model() == nullptr);
    }

    void droppedModelOpens() {
        show();
        QMimeData data;
        data.setUrls({QUrl::fromLocalFile(QFileInfo(WindowFixture::samplePath()).absoluteFilePath())});
        QDragEnterEvent enter(QPoint(100, 100), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(&window(), &enter);
        QVERIFY(enter.isAccepted());
        QDropEvent drop(QPointF(100, 100), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(&window(), &drop);
        QVERIFY(QTest::qWaitFor([&] { return context().model() != nullptr; }, 10000));
    }

    void aNameWithoutItsSuffixReplacesNothingUnasked_data() {
        QTest::addColumn<QString>("typed");
        QTest::addColumn<QString>("there");
        QTest::newRow("no suffix") << "exp" << "exp.strobe";
        QTest::newRow("another") << "exp.old" << "exp.old.strobe";
    }
    void aNameWithoutItsSuffixReplacesNothingUnasked() {
        QFETCH(QString, typed);
        QFETCH(QString, there);
        show();
        openSample();
        QFile old(m_fixture->path(there));
        QVERIFY(old.open(QIODevice::WriteOnly) && old.write("old") == 3);
        old.close();
        WindowUser user(window());
        int asked = 0;
        user.whenUp<QFileDialog>([&](QFileDialog&) {
            user.whenUp<QMessageBox>([&](QMessageBox& box) {
                ++asked;
                user.whenUp<QFileDialog>([](QFileDialog& again) { again.reject(); });
                box.button(QMessageBox::No)->click();
            });
            user.type(m_fixture->path(typed));
            QTest::qWait(100);
            user.press(Qt::Key_Return);
        });
        key(Qt::Key_S, Qt::ControlModifier);
        QTRY_COMPARE(asked, 1);
        QVERIFY(m_fixture->waitForJobs());
        QVERIFY(old.open(QIODevice::ReadOnly));
        QCOMPARE(old.readAll(), QByteArray("old"));
    }

    void closingAsksWhenSomethingWouldBeLost() {
        show();
        openSample();
        QVERIFY(window().close());  // nothing changed yet
        show();
        buildQuickly();
        answer(QMessageBox::Cancel);
        QVERIFY(!window().close());
        answer(QMessageBox::Discard);
        QElapsedTimer clock;
        clock.start();
        QVERIFY(window().close());
        QVERIFY(clock.elapsed() < 2000);
    }

    void closingAsksWhileASaveWaitsForAnotherJob() {
        show();
        openSample();
        const QString path = m_fixture->path("waits.strobe");
        QVERIFY(m_fixture->session().saveNow(path.toStdString()).isOk());
        const JobId held = m_fixture->session().jobs().submit("Hold", [](JobContext& job) {
            while (!job.cancelToken().isCancelled()) QThread::msleep(1);
            return cancelled();
        });
        key(Qt::Key_S, Qt::ControlModifier);
        answer(QMessageBox::Cancel);
        QVERIFY(!window().close());
        m_fixture->session().jobs().cancel(held);
        QVERIFY(m_fixture->waitForJobs());
        QVERIFY(window().close());  // saved by now
    }

    void closingWaitsForALongSaveAndDoesNotBeginItAgain() {
        const QString path = m_fixture->path("slow.strobe");
        beginLongSave(path);
        WindowUser user(window());
        QString said;
        user.whenUp<QMessageBox>([&](QMessageBox&) {
            user.whenUp<QDialog>([&](QDialog& dialog) {
                said = dialog.objectName() + ": " + dialog.findChild<QLabel*>()->text();
                QTest::keyClick(dialog.findChild<QPushButton*>(), Qt::Key_Return);  // once too many cancels nothing
                constexpr int kLongMs = 2200;  // longer than a closing window once waited
                QTimer::singleShot(kLongMs, this, [this] { m_isSaveHeld = false; });
            });
            user.press(Qt::Key_Return);  // Save
        });
        QVERIFY(window().close());
        QCOMPARE(said, QString("jobDialog: Save slow.strobe"));
        QVERIFY(QFileInfo::exists(path));
        int saves = 0;
        for (const JobInfo& job : m_fixture->session().jobs().jobs()) saves += job.kind == JobKind::Save ? 1 : 0;
        QCOMPARE(saves, 1);
    }

    void waitingForALongSaveCanBeCancelled() {
        const QString path = m_fixture->path("slow.strobe");
        beginLongSave(path);
        WindowUser user(window());
        user.whenUp<QMessageBox>([&](QMessageBox&) {
            user.whenUp<QDialog>([&](QDialog& dialog) { user.click(dialog.findChild<QPushButton*>()); });
            user.press(Qt::Key_Return);
        });
        QVERIFY(!window().close());
        QVERIFY(window().isVisible());
        m_isSaveHeld = false;
        QVERIFY(m_fixture->waitForJobs());
        QVERIFY(!QFileInfo::exists(path));
        QVERIFY(window().isWindowModified());
    }

    void closingCanSaveFirst() {
        show();
        openSample();
        buildQuickly();
        const QString path = m_fixture->path("closed.strobe");
        WindowUser user(window());
        QElapsedTimer clock;
        user.whenUp<QMessageBox>([&](QMessageBox&) {
            user.answerFileDialog(path, [&] {
                clock.start();
                user.press(Qt::Key_Return);  // Save is the default
            });
        });
        QVERIFY(window().close());
        qInfo("saved and closed within %d ms of Save", static_cast<int>(clock.elapsed()));
        QVERIFY(QFileInfo::exists(path));
    }

    void savedSessionOpensAgainWithItsBuild() {
        show();
        openSample();
        buildQuickly();
        const QString path = m_fixture->path("saved.strobe");
        m_fixture->session().saveAs(path.toStdString());
        QVERIFY(m_fixture->waitForJobs());
        QTRY_VERIFY(!window().isWindowModified());
        QVERIFY(window().windowTitle().startsWith("saved.strobe"));
        window().openPath(path);
        QVERIFY(m_fixture->waitForJobs());
        QVERIFY(QTest::qWaitFor([&] { return context().currentBuild() != nullptr; }));
        QVERIFY(context().currentBuild()->profile != nullptr);
    }

    void aSavedSessionIsRememberedWithFiguresAndPicture() {
        show();
        openSample();
        buildQuickly();
        waitForStage(GraphStage::Engine);
        const QString path = m_fixture->path("kept.strobe");
        m_fixture->session().saveAs(path.toStdString());
        QVERIFY(m_fixture->waitForJobs());
        const auto isComplete = [&] {
            const RecentFiles recent;
            return recent.files().size() == 2 && recent.files()[0].path == path &&
                   recent.files()[0].figures.contains(" · FP32 ") && !recent.files()[0].thumbnail().isNull();
        };
        QTRY_VERIFY(isComplete());
        // And one that is opened, without its model.
        RecentFiles().remove(path);
        RecentFiles().remove(QFileInfo(WindowFixture::samplePath()).absoluteFilePath());
        m_fixture->reopen();
        show();
        QVERIFY(context().model() != nullptr);
        window().openPath(path);
        QVERIFY(m_fixture->waitForJobs());
        QTRY_VERIFY(RecentFiles().files().size() == 1 && RecentFiles().files()[0].path == path);
        QTRY_VERIFY(!RecentFiles().files()[0].thumbnail().isNull());
        QVERIFY2(RecentFiles().files()[0].figures.contains(" · FP32 "), qPrintable(RecentFiles().files()[0].figures));
    }

    void aVanishedFileSaysSoAndLeavesTheList() {
        RecentFiles().add("/no/such/vanished.onnx");
        RecentFiles().add(WindowFixture::samplePath());
        m_fixture->reopen();
        show();
        const auto rows = [&] {
            QList<QToolButton*> found;
            for (auto* row : window().startPage().findChildren<QToolButton*>("recentFile"))
                if (row->isVisible()) found << row;
            return found;
        };
        QTRY_COMPARE(rows().size(), 2);
        QToolButton* gone = rows()[0]->text() == "vanished.onnx" ? rows()[0] : rows()[1];
        const auto labels = window().startPage().findChildren<QLabel*>();
        QVERIFY(
            std::any_of(labels.begin(), labels.end(), [](const QLabel* label) { return label->text() == "missing"; }));
        // A click offers what is left to do; the keyboard removes.
        WindowUser user(window());
        user.whenMenuChoose("Remove from list");
        user.click(gone);
        QTRY_COMPARE(rows().size(), 1);
        QVERIFY(rows().front()->hasFocus());
        QTest::keyClick(rows().front(), Qt::Key_Delete);
        QTRY_COMPARE(rows().size(), 0);
        QVERIFY(RecentFiles().files().empty());
    }
};

QTEST_MAIN(FilesTest)
#include "gui_files_test.moc"
